"""In which order images train: a function of the seed and the epoch, so that an interrupted training goes on alike."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler

from fetal_seg.geometry.arrays import FloatArray

Batch = dict[str, Tensor]
IntArray = NDArray[np.intp]
SampleKey = tuple[int, int]  # epoch and index


class EpochSampler(DistributedSampler[SampleKey]):
    """Yields (epoch, index), in an order that is a function of (seed, epoch); Lightning sets the epoch.

    Of several processes each yields its part of one order, which Lightning leaves as it is. So a step of all of them
    takes the images that a step of one process takes whose batches are as large as theirs together.

    Args:
        count: of images, and of what an epoch yields.
        shuffle: whether the order is random, for training. Then all processes yield equally many, of which the last
            ones may be the first of the order again; else each image comes once.
        weights: of the images, where some are to come more often: each as often as its weight says, to the next whole
            number, at random.
        rank, processes: which process this is, and of how many.
    """

    def __init__(
        self,
        count: int,
        seed: int,
        *,
        shuffle: bool,
        weights: FloatArray | None = None,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        images: Any = range(count)
        super().__init__(images, num_replicas=processes, rank=rank, shuffle=shuffle, seed=seed)
        self._count, self._weights = count, np.ones(count) if weights is None else weights

    def __len__(self) -> int:
        """Number of images of this process."""
        return len(self._part(np.arange(self._count)))

    def __iter__(self) -> Iterator[SampleKey]:
        """All indices, once where there are no weights."""
        order = np.arange(self._count)
        if self.shuffle:
            rng = np.random.default_rng([self.seed, self.epoch])
            order = rng.permutation(self._count)
            if self._weights.min() < self._weights.max():  # systematic sampling: one offset, equal steps
                reached = np.cumsum(self._weights[order]) * self._count / self._weights.sum()
                drawn = np.searchsorted(reached, np.arange(self._count) + rng.uniform())
                order = rng.permutation(order[np.minimum(drawn, self._count - 1)])
        return iter([(self.epoch, int(index)) for index in self._part(order)])

    def _part(self, order: IntArray) -> IntArray:
        lacking = -len(order) % self.num_replicas if self.shuffle else 0
        return np.resize(order, len(order) + lacking)[self.rank :: self.num_replicas]


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
