"""Metrics that are gathered over an epoch, right in one process or in several: torchmetrics.

Logits and targets are (n, 1, h, w); a pixel is head where its logit is above 0, its target above 0.5.
"""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.segmentation import MeanIoU


class HeadDice(Metric):
    """Mean over images of the Dice of the thresholded mask, 0 to 1.

    The project's rule for empty masks: where prediction and truth are both empty, an image counts 1; where one of them
    is, 0. Before any image it is 0.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Count in the images of a batch; both (n, 1, h, w) and bool."""
        overlap = (prediction & target).sum(dim=(1, 2, 3))
        areas = prediction.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
        self.total += torch.where(areas > 0, 2 * overlap / areas.clamp_min(1), 1.0).sum()
        self.images += len(prediction)

    def compute(self) -> Tensor:
        """The mean so far."""
        return self.total / self.images.clamp_min(1)


def head_metrics(prefix: str) -> MetricCollection:
    """``dice`` and ``iou`` of masks, with a prefix before their names.

    IoU is the mean over the images in which prediction or truth is not empty.
    """
    iou = MeanIoU(num_classes=1, input_format="one-hot")
    return MetricCollection({"dice": HeadDice(), "iou": iou}, prefix=prefix, compute_groups=False)
