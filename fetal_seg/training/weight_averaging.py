"""The moving average of a network's weights, which validates and is kept."""

from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

TensorPairs = tuple[list[Tensor], list[Tensor]]  # averages, and what they are of


class MovingAverage(WeightAveraging):
    """Lightning's averaging of weights, with an exponential moving average that takes one call a step.

    Lightning and torch gather all tensors anew at each step, which takes as long as averaging them.

    Args:
        decay: of the average, a step; see `moving_average`.
    """

    def __init__(self, decay: float) -> None:
        self._average = partial(moving_average, decay=decay)
        super().__init__(multi_avg_fn=self._average)
        self._gathered: tuple[TensorPairs, TensorPairs] | None = None  # weights and statistics; counters

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Average, after each step of the optimizer."""
        if self._gathered is None:  # the first step: as Lightning does it, which begins the average
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
            if self._latest_update_step > 0:
                self._gathered = self._gather(pl_module)
        elif trainer.global_step > self._latest_update_step:
            assert self._average_model is not None  # since the first step
            for averages, currents in self._gathered:
                self._average(averages, currents, self._average_model.n_averaged)
            self._average_model.n_averaged += 1
            self._latest_update_step = trainer.global_step

    def _gather(self, pl_module: LightningModule) -> tuple[TensorPairs, TensorPairs]:
        assert self._average_model is not None
        weights: TensorPairs = ([], [])
        counters: TensorPairs = ([], [])
        pairs = zip(
            [*self._average_model.module.parameters(), *self._average_model.module.buffers()],
            [*pl_module.parameters(), *pl_module.buffers()],
            strict=True,
        )
        for average, current in pairs:
            kind = weights if average.is_floating_point() else counters
            kind[0].append(average.detach())
            kind[1].append(current.detach())
        return weights, counters


@torch.no_grad()
def moving_average(averages: list[Tensor], current: list[Tensor], count: Tensor | int, *, decay: float) -> None:
    """Update exponential moving averages, all tensors at once, in place.

    The decay grows with the count of steps up to `decay`, so that the untrained start is forgotten.
    """
    if not averages:
        return
    if not averages[0].is_floating_point():  # counters
        torch._foreach_copy_(averages, current)
    else:
        torch._foreach_lerp_(averages, current, 1 - min(decay, (1 + float(count)) / (10 + float(count))))
