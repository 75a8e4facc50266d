"""Metrics that are gathered over an epoch, right in one process or in several: torchmetrics.

Masks are (n, 1, h, w), bool. How much two of them overlap is counted once for all metrics, by `count_overlap`.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import MeanMetric, Metric, MetricCollection


class Overlap(NamedTuple):
    """Pixels (n,) that a predicted and a true mask share, and the sum of their areas."""

    both: Tensor
    areas: Tensor


def count_overlap(prediction: Tensor, target: Tensor) -> Overlap:
    """Count the pixels of the masks of a batch."""
    both, predicted, true = (mask.flatten(1).count_nonzero(dim=1) for mask in (prediction & target, prediction, target))
    return Overlap(both, predicted + true)


class MeanOverlap(Metric, ABC):
    """Mean over images of how much two masks overlap, 0 to 1. Before any image it is 0."""

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, overlap: Overlap) -> None:
        """Count in the images of a batch."""
        scores = self.scores(overlap)
        self.total += scores.nansum()
        self.images += scores.isfinite().sum()

    @abstractmethod
    def scores(self, overlap: Overlap) -> Tensor:
        """Scores (n,); NaN for what does not count."""

    def compute(self) -> Tensor:
        """The mean so far."""
        return self.total / self.images.clamp_min(1)


class HeadDice(MeanOverlap):
    """Mean over images of the Dice of the thresholded mask, 0 to 1.

    The project's rule for empty masks: where prediction and truth are both empty, an image counts 1; where one of them
    is, 0.
    """

    def scores(self, overlap: Overlap) -> Tensor:
        """See `MeanOverlap`."""
        return torch.where(overlap.areas > 0, 2 * overlap.both / overlap.areas, 1.0)


class HeadIoU(MeanOverlap):
    """Mean IoU, over the images in which prediction or truth is not empty."""

    def scores(self, overlap: Overlap) -> Tensor:
        """See `MeanOverlap`."""
        return overlap.both / (overlap.areas - overlap.both)


def head_metrics(prefix: str) -> MetricCollection:
    """``dice`` and ``iou`` of masks, and the mean ``loss`` over images, with a prefix before their names."""
    metrics: dict[str, Metric | MetricCollection]
    metrics = {"loss": MeanMetric(nan_strategy="disable"), "dice": HeadDice(), "iou": HeadIoU()}
    return MetricCollection(metrics, prefix=prefix, compute_groups=False)
