"""Records, cut into training and validation, as batches."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fetal_seg.data.augmentation.pipeline import Augmentation
from fetal_seg.data.cache import ImageCache
from fetal_seg.data.records import Record
from fetal_seg.data.split_rule import SplitRule

Batch = dict[str, Tensor]
Key = tuple[int, int]  # epoch and index


class HeadDataset(Dataset[Batch]):
    """Images and masks at the network's size, augmented by a function of (seed, epoch, index).

    Items: ``image`` and ``mask`` (1, height, width) uint8; a mask's values are coverage, 0 to 255.
    """

    def __init__(self, cache: ImageCache, rows: Sequence[int], augmentation: Augmentation, seed: int) -> None:
        self._cache, self._rows, self._augmentation, self._seed = cache, list(rows), augmentation, seed
        self._augmenter: Any = None  # built where it is used: it does not travel to worker processes

    def __len__(self) -> int:
        """Number of images."""
        return len(self._rows)

    def __getitem__(self, key: Key) -> Batch:
        """The image of an (epoch, index)."""
        epoch, index = key
        if self._augmenter is None:
            self._augmenter = self._augmentation.build()
        seed = int(np.random.SeedSequence([self._seed, epoch, index]).generate_state(1)[0])
        image, mask = self._cache.image(self._rows[index]), self._cache.mask(self._rows[index])
        image, mask = self._augmenter(image, mask, seed)
        return {"image": torch.from_numpy(image)[None], "mask": torch.from_numpy(mask)[None]}


class EpochSampler(Sampler[Key]):
    """Yields (epoch, index), in an order that is a function of (seed, epoch); Lightning sets the epoch."""

    def __init__(self, count: int, seed: int, *, shuffle: bool) -> None:
        self._count, self._seed, self._shuffle, self._epoch = count, seed, shuffle, 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next pass is of."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Number of images."""
        return self._count

    def __iter__(self) -> Iterator[Key]:
        """All indices once."""
        order = np.arange(self._count)
        if self._shuffle:
            order = np.random.default_rng([self._seed, self._epoch]).permutation(self._count)
        return iter([(self._epoch, int(index)) for index in order])


class HeadDataModule(LightningDataModule):
    """Training and validation batches of ``image`` and ``mask`` (n, 1, height, width) uint8.

    Args:
        records: all records, of both parts.
        cache: of these records, decoded at the network's size.
        rule: how to cut the records into parts.
        augmentation: of the training part.
        seed: of the order and the augmentation.
        batch_size: images in a batch.
        workers: processes that load images.
        limit: take the first so many images of each part.

    Attributes:
        split: the names of each part, as it was cut, before `limit`.
        records: all of them.
        train_records, val_records: the records of each part, after `limit`.
        fingerprint: of the content of all records.
    """

    def __init__(
        self,
        records: Sequence[Record],
        cache: ImageCache,
        rule: SplitRule,
        augmentation: Augmentation,
        *,
        seed: int = 0,
        batch_size: int,
        workers: int = 0,
        limit: int | None = None,
    ) -> None:
        super().__init__()
        self._seed, self._batch_size, self._workers = seed, batch_size, workers
        self._augmentation = augmentation
        self._cache = cache
        self.fingerprint, self.records = self._cache.fingerprint, list(records)
        self.split = rule.apply(records, self._cache.ellipses())
        rows = {record.name: row for row, record in enumerate(records)}
        self._train_rows = [rows[name] for name in self.split.train][:limit]
        self._val_rows = [rows[name] for name in self.split.val][:limit]
        self.train_records = [records[row] for row in self._train_rows]
        self.val_records = [records[row] for row in self._val_rows]

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, augmented batches."""
        return self._loader(self._train_rows, self._augmentation, shuffle=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Batches as they are, in the split's order."""
        return self._loader(self._val_rows, Augmentation(enabled=False), shuffle=False)

    def _loader(self, rows: list[int], augmentation: Augmentation, *, shuffle: bool) -> DataLoader[Batch]:
        return DataLoader(
            HeadDataset(self._cache, rows, augmentation, self._seed),
            batch_size=self._batch_size,
            sampler=EpochSampler(len(rows), self._seed, shuffle=shuffle),
            num_workers=self._workers,
            persistent_workers=self._workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
