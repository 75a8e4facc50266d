"""Records, cut into training and validation, as batches."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.choices import Choice
from fetal_seg.config.data import DataConfig
from fetal_seg.data.augmentation.augmenter import Augmenter
from fetal_seg.data.cache import ImageCache
from fetal_seg.data.loading import PreparedImages, prepare_images
from fetal_seg.data.records import Record, digests
from fetal_seg.data.splits import Split
from fetal_seg.models.description import CheckpointDescription, DataDescription, SplitNames
from fetal_seg.models.preprocessing import GREY_MEAN, GREY_STD, Preprocessing
from fetal_seg.training.sampling import Batch, EpochSampler, ResumableLoader, SampleKey

MOST_WORKERS = 8


class HeadDataset(Dataset[Batch]):
    """Images and masks at the network's size, augmented by a function of (seed, epoch, index).

    Items: ``image`` and ``mask`` (1, height, width) uint8; a mask's values are coverage, 0 to 255.

    Args:
        images: where each is: a cache, and its row there.
    """

    def __init__(self, images: Sequence[tuple[ImageCache, int]], augmentation: Augmentation, seed: int) -> None:
        self._images, self._augmentation, self._seed = list(images), augmentation, seed
        self._augmenter: Augmenter | None = None  # built where it is used: it does not travel to worker processes

    def __len__(self) -> int:
        """Number of images."""
        return len(self._images)

    def __getitem__(self, key: SampleKey) -> Batch:
        """The image of an (epoch, index)."""
        epoch, index = key
        if self._augmenter is None:
            self._augmenter = Augmenter(self._augmentation)
        seed = int(np.random.SeedSequence([self._seed, epoch, index]).generate_state(1)[0])
        cache, row = self._images[index]
        image, mask = self._augmenter(cache.image(row), cache.mask(row), seed)
        return {"image": torch.from_numpy(image)[None], "mask": torch.from_numpy(mask)[None]}


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
        extra = self._ready[0].extra
        return tuple(sorted({*self._seen_before, *digests([*self.train_records, *(extra.records if extra else ())])}))

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, augmented batches, of the training part and what trains beside it."""
        prepared = self._ready[0]
        rows, strata = self._rows(self.split.train), prepared.strata
        images, strata = [(prepared.cache, row) for row in rows], [strata[row] for row in rows]
        if prepared.extra:
            images += [(prepared.extra.cache, row) for row in range(len(prepared.extra.records))]
            strata += prepared.extra.strata
        sizes = Counter(strata)  # those of a rare trimester come more often, as data.balance says
        weights = np.array([float(sizes[stratum]) ** -self._config.balance for stratum in strata])
        rank, processes = self._place
        sampler = EpochSampler(len(images), self._seed, shuffle=True, weights=weights, rank=rank, processes=processes)
        return self._loader(HeadDataset(images, self._augmentation, self._seed), sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Batches as they are, in the split's order."""
        images = [(self._ready[0].cache, row) for row in self._rows(self.split.val)]
        as_they_are = HeadDataset(images, Augmentation(enabled=False), self._seed)
        rank, processes = self._place
        sampler = EpochSampler(len(images), self._seed, shuffle=False, rank=rank, processes=processes)
        return self._loader(as_they_are, sampler)

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

    def _loader(self, images: HeadDataset, sampler: EpochSampler) -> DataLoader[Batch]:
        workers = self._worker_count()
        return ResumableLoader(
            images,
            batch_size=self._config.batch_size,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=self._on_gpu,
        )

    def _worker_count(self) -> int:
        """Processes that load images: none on a CPU, whose cores they, and threads too, would take from the network."""
        if self._config.workers is not None:
            return self._config.workers
        return min(os.cpu_count() or 1, MOST_WORKERS) if self._on_gpu else 0

    @property
    def _place(self) -> tuple[int, int]:
        """The rank of this process among those that train together, and how many they are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)

    @property
    def _on_gpu(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
