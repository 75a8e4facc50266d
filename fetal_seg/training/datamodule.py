"""Records, cut into training and validation, as batches."""

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.choices import Choice
from fetal_seg.config.data import DataConfig
from fetal_seg.data.augmentation.augmenter import Augmenter
from fetal_seg.data.cache import ImageCache
from fetal_seg.data.loading import PreparedImages, prepare_images, stratum
from fetal_seg.data.records import Record, digests
from fetal_seg.data.splits import Split
from fetal_seg.geometry.arrays import FloatArray
from fetal_seg.models.description import CheckpointDescription, DataDescription, SplitNames
from fetal_seg.models.preprocessing import GREY_MEAN, GREY_STD, Preprocessing

Batch = dict[str, Tensor]
SampleKey = tuple[int, int]  # epoch and index
MOST_WORKERS = 8


class HeadDataset(Dataset[Batch]):
    """Images and masks at the network's size, augmented by a function of (seed, epoch, index).

    Items: ``image`` and ``mask`` (1, height, width) uint8; a mask's values are coverage, 0 to 255.
    """

    def __init__(self, cache: ImageCache, rows: Sequence[int], augmentation: Augmentation, seed: int) -> None:
        self._cache, self._rows, self._augmentation, self._seed = cache, list(rows), augmentation, seed
        self._augmenter: Augmenter | None = None  # built where it is used: it does not travel to worker processes

    def __len__(self) -> int:
        """Number of images."""
        return len(self._rows)

    def __getitem__(self, key: SampleKey) -> Batch:
        """The image of an (epoch, index)."""
        epoch, index = key
        if self._augmenter is None:
            self._augmenter = Augmenter(self._augmentation)
        seed = int(np.random.SeedSequence([self._seed, epoch, index]).generate_state(1)[0])
        image, mask = self._cache.image(self._rows[index]), self._cache.mask(self._rows[index])
        image, mask = self._augmenter(image, mask, seed)
        return {"image": torch.from_numpy(image)[None], "mask": torch.from_numpy(mask)[None]}


class EpochSampler(Sampler[SampleKey]):
    """Yields (epoch, index), in an order that is a function of (seed, epoch); Lightning sets the epoch.

    Args:
        count: of images, and of what an epoch yields.
        shuffle: whether the order is random.
        weights: of the images, where some are to come more often: each as often as its weight says, to the next whole
            number, at random.
    """

    def __init__(self, count: int, seed: int, *, shuffle: bool, weights: FloatArray | None = None) -> None:
        self._count, self._seed, self._shuffle, self._epoch = count, seed, shuffle, 0
        self._weights = np.ones(count) if weights is None else weights

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next pass is of."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Number of images."""
        return self._count

    def __iter__(self) -> Iterator[SampleKey]:
        """All indices, once where there are no weights."""
        order = np.arange(self._count)
        if self._shuffle:
            rng = np.random.default_rng([self._seed, self._epoch])
            order = rng.permutation(self._count)
            if self._weights.min() < self._weights.max():  # systematic sampling: one offset, equal steps
                reached = np.cumsum(self._weights[order]) * self._count / self._weights.sum()
                drawn = np.searchsorted(reached, np.arange(self._count) + rng.uniform())
                order = rng.permutation(order[np.minimum(drawn, self._count - 1)])
        return iter([(self._epoch, int(index)) for index in order])


class ResumableLoader(DataLoader[Batch]):
    """A loader whose next pass can leave out the batches of an epoch that a checkpoint has seen; Lightning keeps it."""

    _passed = _left_out = 0

    def __iter__(self) -> Any:
        """The batches of an epoch, but for those to leave out."""
        self._passed, self._left_out = self._left_out, 0
        for batch in itertools.islice(super().__iter__(), self._passed, None):
            self._passed += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """How many batches of this epoch were given."""
        return {"batches": self._passed}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Leave out those that a checkpoint's epoch has seen, if it was not at its end."""
        self._left_out = state_dict["batches"] if state_dict["batches"] < len(self) else 0


class HeadDataModule(LightningDataModule):
    """Training and validation batches of ``image`` and ``mask`` (n, 1, height, width) uint8.

    ``prepare_data`` extracts or downloads what is missing and decodes each image once, ``setup`` cuts the records into
    parts. HC18's test set has no truth: testing and predicting take the validation part.

    Args:
        config: the data source, the network's size, the split and the batches.
        augmentation: of the training part.
        seed: of the order and the augmentation, and of the split where `config` gives it none of its own.
        prepared: what `prepare_images` gave for this configuration; None to let ``prepare_data`` do so.
        seen_before: digests of the images that trained what the network starts from.
    """

    def __init__(
        self,
        config: DataConfig,
        augmentation: Augmentation | None = None,
        *,
        seed: int = 0,
        prepared: PreparedImages | None = None,
        seen_before: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._seen_before = seen_before
        self._config, self._augmentation, self._seed = config, augmentation or Augmentation(), seed
        self._prepared = prepared
        self._split: Split | None = None

    def prepare_data(self) -> None:
        """Find or fetch the data and decode them; once on each machine, before the other processes ask for them.

        Raises:
            InputError: the data are missing, or not as they should be.
        """
        self._prepared = self._prepared or prepare_images(self._config)

    def setup(self, stage: str | None = None) -> None:
        """Cut the records into parts; once in each process.

        Raises:
            InputError: the split does not fit the records, or there are too few of them.
        """
        self._prepared = self._prepared or prepare_images(self._config)
        self._split = self._split or self._prepared.split(self._config, self._seed)

    @property
    def records(self) -> Sequence[Record]:
        """All records, of both parts."""
        return self._ready[0].records

    @property
    def fingerprint(self) -> str:
        """Of the content of all records."""
        return self._ready[0].cache.fingerprint

    @property
    def split(self) -> Split:
        """The names of each part, as it was cut, before ``limit``."""
        return self._ready[1]

    @property
    def train_records(self) -> list[Record]:
        """The records of the training part, after ``limit``."""
        return [self.records[row] for row in self._rows(self.split.train)]

    @property
    def val_records(self) -> list[Record]:
        """The records of the validation part, after ``limit``."""
        return [self.records[row] for row in self._rows(self.split.val)]

    def describe(self, network: Choice) -> CheckpointDescription:
        """What a checkpoint of a network that is trained on these data says of itself."""
        config = self._config
        source = replace(config.choice, keys={**config.choice.keys, "augmentation": self._augmentation.to_dict()})
        return CheckpointDescription(
            network=network,
            preprocessing=Preprocessing(config.height, config.width, GREY_MEAN, GREY_STD),
            data=DataDescription(source=source, fingerprint=self.fingerprint),
            split=SplitNames(self.split.train, self.split.val, self._seen),
        )

    @cached_property
    def _seen(self) -> tuple[str, ...]:
        return tuple(sorted({*self._seen_before, *digests(self.train_records)}))

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, augmented batches."""
        return self._loader(self.split.train, self._augmentation, shuffle=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Batches as they are, in the split's order."""
        return self._loader(self.split.val, Augmentation(enabled=False), shuffle=False)

    test_dataloader = predict_dataloader = val_dataloader  # of these the truth is known, and they did not train

    @property
    def _ready(self) -> tuple[PreparedImages, Split]:
        self.setup()
        assert self._prepared is not None  # setup
        assert self._split is not None
        return self._prepared, self._split

    def _rows(self, names: Sequence[str]) -> list[int]:
        rows = {record.name: row for row, record in enumerate(self.records)}
        return [rows[name] for name in names][: self._config.limit]

    def _loader(self, names: Sequence[str], augmentation: Augmentation, *, shuffle: bool) -> DataLoader[Batch]:
        rows, workers = self._rows(names), self._worker_count()
        return ResumableLoader(
            HeadDataset(self._ready[0].cache, rows, augmentation, self._seed),
            batch_size=self._config.batch_size,
            sampler=EpochSampler(
                len(rows), self._seed, shuffle=shuffle, weights=self._weights(rows) if shuffle else None
            ),
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=self._on_gpu,
        )

    def _weights(self, rows: Sequence[int]) -> FloatArray:
        """How often images come: those of a rare trimester more often, as ``data.balance`` says."""
        ellipses = self._ready[0].cache.ellipses()
        strata = [stratum(ellipses[row].circumference, self.records[row].pixel_size_mm) for row in rows]
        sizes = Counter(strata)
        return np.array([float(sizes[of]) ** -self._config.balance for of in strata])

    def _worker_count(self) -> int:
        """Processes that load images: none on a CPU, whose cores they, and threads too, would take from the network."""
        if self._config.workers is not None:
            return self._config.workers
        return min(os.cpu_count() or 1, MOST_WORKERS) if self._on_gpu else 0

    @property
    def _on_gpu(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
