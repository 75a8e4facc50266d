"""Intervals that hold a stated part of the truths, by split conformal prediction.

Source: J. Lei et al., Distribution-free predictive inference for regression, JASA 113 (2018) 1094: of n held-out
images, take the ceil((n + 1) level)-th smallest error; a new image's error is below it with a probability of at
least `level`, whatever the errors' distribution, as long as new images are like the held-out ones.

Errors are divided by a scale that grows with the head, since those of large heads are larger. Notation: arrays are
(n,), one number an image, in mm.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.9
_REFERENCE_MM = 175.0  # a head in mid-pregnancy, whose scale is 1


def scale(hc_mm: ArrayLike) -> NDArray[np.float64]:
    """How large errors are expected to be at a predicted circumference, mm: its root, 1 at 175 mm."""
    return np.sqrt(np.asarray(hc_mm, np.float64) / _REFERENCE_MM)


def scores(hc_pred_mm: ArrayLike, hc_true_mm: ArrayLike) -> list[float]:
    """Scaled absolute errors, mm, in ascending order: what `half_width` needs to know of held-out images.

    Raises:
        ValueError: a circumference is not a positive number.
    """
    predicted, true = np.asarray(hc_pred_mm, np.float64), np.asarray(hc_true_mm, np.float64)
    if not (np.isfinite(predicted).all() and np.isfinite(true).all() and (predicted > 0).all() and (true > 0).all()):
        raise ValueError("circumferences must be positive numbers")
    return [float(score) for score in np.sort(np.abs(predicted - true) / scale(predicted))]


def half_width(held_out: Sequence[float], hc_mm: float, level: float = LEVEL) -> float | None:
    """Half the width, mm, of the interval about a predicted circumference.

    Args:
        held_out: ascending, from `scores`.
        hc_mm: predicted.
        level: part of the truths that intervals hold, in (0, 1).

    Returns:
        None where there are too few held-out images for this level: at least ``level / (1 - level)`` are needed.
    """
    rank = math.ceil((len(held_out) + 1) * level - 1e-9)  # 10 * 0.9 is not 9 exactly
    return float(held_out[rank - 1] * scale(hc_mm)) if rank <= len(held_out) else None


def cross_widths(
    hc_pred_mm: ArrayLike, hc_true_mm: ArrayLike, groups: Sequence[str], *, level: float = LEVEL, folds: int = 5
) -> NDArray[np.float64]:
    """Half widths (n,), mm, of intervals that were each calibrated without the image's own part of the images.

    The `folds` parts are cut between groups (examinations). A width is infinite, so that its interval holds
    everything, where the other parts have too few images.
    """
    predicted, true = np.asarray(hc_pred_mm, np.float64), np.asarray(hc_true_mm, np.float64)
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    fold = np.random.default_rng(0).permutation(number.max() + 1)[number] % folds
    widths = np.empty(len(predicted))
    for part in range(folds):
        others = scores(predicted[fold != part], true[fold != part])
        for index in np.flatnonzero(fold == part):
            width = half_width(others, float(predicted[index]), level)
            widths[index] = math.inf if width is None else width
    return widths
