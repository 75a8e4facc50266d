"""Losses between logits and the coverage of pixels by the true head, both (n, 1, h, w).

Targets are coverages, 0 to 1, not only 0 or 1: each loss has its minimum where the predicted
probability is the coverage, so that the boundary is not pulled to whole pixels. A loss is a function
``(logits, target, **keys)`` that is registered here; its keys are those of its YAML file in ``conf/loss``.
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import LOSSES

LossFunction = Callable[[Tensor, Tensor], Tensor]


@LOSSES.register("bce")
def bce(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy, the mean over pixels."""
    return F.binary_cross_entropy_with_logits(logits, target)


@LOSSES.register("dice")
def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """One minus soft Dice with squared denominator, the mean over images.

    Source: F. Milletari et al., V-Net (arXiv:1606.04797); the square puts the minimum at
    probability = coverage, which the linear form does not.
    """
    probability = logits.sigmoid()
    overlap = (probability * target).sum(dim=(1, 2, 3))
    total = (probability**2 + target**2).sum(dim=(1, 2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


@LOSSES.register("bce_dice")
def bce_dice(logits: Tensor, target: Tensor, *, dice_weight: float = 1.0) -> Tensor:
    """Binary cross-entropy plus `dice_weight` times the Dice loss."""
    return bce(logits, target) + dice_weight * dice_loss(logits, target)


@LOSSES.register("focal")
def focal(logits: Tensor, target: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Focal loss (T.-Y. Lin et al., arXiv:1708.02002) for soft targets: BCE times |target - p|^gamma.

    Source of the soft form: X. Li et al., quality focal loss (arXiv:2006.04388).
    """
    weight = (target - logits.sigmoid()).abs() ** gamma
    pixelwise = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return torch.mean(weight * pixelwise)


@LOSSES.register("boundary")
def boundary(logits: Tensor, target: Tensor, *, radius: int = 4, boundary_weight: float = 1.0) -> Tensor:
    """BCE plus Dice, plus `boundary_weight` times the BCE within `radius` px of the true boundary."""
    size = 2 * radius + 1
    dilated = F.max_pool2d(target, size, stride=1, padding=radius)
    eroded = -F.max_pool2d(-target, size, stride=1, padding=radius)
    band = ((dilated > 0.5) & (eroded < 0.5)).to(logits.dtype)
    pixelwise = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return bce_dice(logits, target) + boundary_weight * (band * pixelwise).sum() / band.sum().clamp_min(1)


@LOSSES.register("signed_distance")
def signed_distance(
    logits: Tensor, target: Tensor, *, radius: int = 16, distance_weight: float = 1.0, circumference_weight: float = 0.0
) -> Tensor:
    """BCE plus Dice, plus `distance_weight` times the mean squared error, weighted by the distance from the boundary.

    Distances are in units of `radius` px, and at most 1: what is wrong far from the true boundary costs most. The
    integral of the distance over what is wrong is that of H. Kervadec et al., Boundary loss (arXiv:1812.07032); the
    square keeps the minimum at probability = coverage.
    """
    inside = (target[:, 0] > 0.5).to(torch.uint8).cpu().numpy()
    distances = np.stack([np.maximum(_distance(mask), _distance(1 - mask)) for mask in inside])
    scaled = torch.from_numpy(distances).to(logits.device).clamp(max=radius)[:, None] / radius
    rest = circumference(logits, target, circumference_weight=circumference_weight)
    return rest + distance_weight * (scaled * (logits.sigmoid() - target) ** 2).mean()


def _distance(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """From each pixel (height, width) that is not 0 to the nearest that is; without such a one the longest side."""
    found = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    return found.clip(max=max(mask.shape))


@LOSSES.register("circumference")
def circumference(logits: Tensor, target: Tensor, *, circumference_weight: float = 1.0) -> Tensor:
    """BCE plus Dice, plus `circumference_weight` times the mean error of the logarithm of the head's circumference.

    The circumferences are those of `moment_circumference`; images without a head have none and do not count.
    """
    heads = target.sum(dim=(1, 2, 3)) >= 1
    predicted, true = moment_circumference(logits.float().sigmoid()), moment_circumference(target.float())
    error = (predicted / true).log().abs()
    return bce_dice(logits, target) + circumference_weight * (error * heads).sum() / heads.sum().clamp_min(1)


def moment_circumference(mask: Tensor) -> Tensor:
    """Circumference of the ellipse that has a soft mask's (n, 1, h, w) area and mean squared radius, (n,), px.

    With semi-axes a and b a filled ellipse has area pi a b, and variances that sum up to (a^2 + b^2) / 4. Ramanujan's
    second formula needs no more than these, which are smooth in every pixel, and exact for an ellipse in the picture.
    """
    x = torch.arange(mask.shape[-1], dtype=mask.dtype, device=mask.device)
    y = torch.arange(mask.shape[-2], dtype=mask.dtype, device=mask.device)[:, None]
    area = mask.sum(dim=(1, 2, 3)).clamp_min(1.0)

    def mean(values: Tensor) -> Tensor:
        return (mask[:, 0] * values).sum(dim=(1, 2)) / area

    center_x, center_y = mean(x)[:, None, None], mean(y)[:, None, None]
    product = area / torch.pi  # a b
    variances = mean((x - center_x) ** 2 + (y - center_y) ** 2) - 1 / 6  # less those of a pixel itself
    squares = (4 * variances).clamp_min(2 * product)  # a^2 + b^2
    total = squares + 2 * product  # (a + b)^2
    h = (squares - 2 * product) / total
    return torch.pi * total.sqrt() * (1 + 3 * h / (10 + (4 - 3 * h).sqrt()))


def build_loss(choice: Choice) -> LossFunction:
    """The loss of a choice.

    Raises:
        InputError: no loss has that name.
    """
    return partial(LOSSES[choice.name], **choice.keys)


def deep_supervision_loss(loss: LossFunction, outputs: Tensor | list[Tensor], target: Tensor) -> Tensor:
    """The loss of an output, or the mean over a list of outputs with weights 1, 1/2, 1/4 and so on.

    Coarser outputs are compared with the target's averages over their pixels.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else outputs
    total, weights = outputs[0].new_zeros(()), 0.0
    for level, logits in enumerate(outputs):
        coarse = target if level == 0 else F.adaptive_avg_pool2d(target, (logits.shape[-2], logits.shape[-1]))
        total = total + loss(logits, coarse) * 0.5**level
        weights += 0.5**level
    return total / weights
