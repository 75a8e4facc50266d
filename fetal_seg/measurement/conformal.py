"""Intervals that hold a stated part of the truths, by split conformal prediction.

Source: J. Lei et al., Distribution-free predictive inference for regression, JASA 113 (2018) 1094: of n held-out
images, take the ceil((n + 1) level)-th smallest error; a new image's error is below it with a probability of at
least `level`, whatever the errors' distribution, as long as new images are like the held-out ones.

Errors are divided by a scale that tells which images are hard, so that the intervals of the others can be short:
on HC18's validation images this shortens them by a fifth (``docs/measurement.md``). Any scale keeps the coverage.

Late heads have larger errors than the scale tells. So that theirs are covered as often as the others', an interval is
made of the errors of heads of the same trimester, by the predicted circumference, where enough of them were held out
(Mondrian conformal prediction: V. Vovk et al., Algorithmic Learning in a Random World, 2005, chapter 4).
Notation: arrays are (n,), one number an image; circumferences in mm, confidences 0 to 1.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import StrictFloat, StrictStr
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import Numbers, PlainData
from fetal_seg.measurement.biometry import trimester

LEVEL = 0.9
FEWEST = 20  # held-out heads of a trimester, for intervals of their own
SCALE = "(1 - confidence) * sqrt(HC)"  # kept beside scores: those of another scale mean something else
REVIEWED = 0.1  # part of the held-out heads: those of the largest scales are to be looked at
REFERENCE_MM = 175.0  # a head in mid-pregnancy
SUREST = 0.99  # no interval shrinks to nothing


@dataclass(frozen=True)
class IntervalScores(PlainData):
    """What intervals are made of.

    Attributes:
        scale: what errors were divided by; intervals need `SCALE`.
        scores: scaled absolute errors of held-out images, in ascending order.
        hc_mm: their predicted circumferences, mm, in the same order; none in files that know no trimesters.
        review_above: the scale that a tenth of these images exceeds: so large an error is to be expected there that a
            person is to look. None where there were too few of them, and in older files.
    """

    scale: StrictStr
    scores: Numbers
    hc_mm: Numbers = ()
    review_above: StrictFloat | None = None

    def alike(self, hc_mm: float) -> Numbers:
        """The scores of the heads of one's trimester, or of all where there are fewer than `FEWEST` of these."""
        asked = trimester(hc_mm)
        own = [score for score, of in zip(self.scores, self.hc_mm, strict=False) if trimester(of) == asked]
        return tuple(own) if len(own) >= FEWEST else self.scores


def scale(hc_mm: ArrayLike, confidence: ArrayLike) -> NDArray[np.float64]:
    """How large errors are expected to be: as the network's doubt, and a little larger for larger heads.

    Args:
        confidence: mean probability in the region that was found.
    """
    doubt = 1 - np.minimum(np.asarray(confidence, np.float64), SUREST)
    return doubt * (np.asarray(hc_mm, np.float64) / REFERENCE_MM) ** 0.5


def scores(hc_pred_mm: ArrayLike, confidence: ArrayLike, hc_true_mm: ArrayLike) -> IntervalScores:
    """What `half_width` needs to know of held-out images.

    Raises:
        ValueError: a circumference is not a positive number.
    """
    predicted, true = np.asarray(hc_pred_mm, np.float64), np.asarray(hc_true_mm, np.float64)
    if not (np.isfinite(predicted).all() and np.isfinite(true).all() and (predicted > 0).all() and (true > 0).all()):
        raise ValueError("circumferences must be positive numbers")
    scales = scale(predicted, confidence)
    found = np.abs(predicted - true) / scales
    order = np.argsort(found, kind="stable")
    review_above = float(np.quantile(scales, 1 - REVIEWED)) if len(scales) >= FEWEST else None
    return IntervalScores(SCALE, tuple(found[order].tolist()), tuple(predicted[order].tolist()), review_above)


def is_large_error_likely(held_out: IntervalScores, hc_mm: float, confidence: float) -> bool:
    """Whether a measurement is one of those that hold most of the error, and is to be looked at.

    Of the doubts that were tried on cross-validated images, this scale finds as much of the error as any
    (``docs/accuracy.md``, Doubts).
    """
    limit = held_out.review_above if held_out.scale == SCALE else None
    return limit is not None and bool(scale(hc_mm, confidence) > limit)


def half_width(held_out: IntervalScores, hc_mm: float, confidence: float, level: float = LEVEL) -> float | None:
    """Half the width, mm, of the interval about a predicted circumference.

    Args:
        held_out: from `scores`.
        level: part of the truths that intervals hold, in (0, 1).

    Returns:
        None where there are too few held-out images for this level (at least ``level / (1 - level)`` are needed), or
        they are of another scale.

    >>> predicted = np.linspace(150, 200, 30)
    >>> held_out = scores(predicted, np.full(30, 0.96), predicted + np.linspace(-2, 2, 30))
    >>> round(half_width(held_out, hc_mm=175, confidence=0.96), 2)
    1.87
    >>> round(half_width(held_out, hc_mm=175, confidence=0.92), 2)  # twice the doubt, twice as wide
    3.74
    >>> half_width(held_out, hc_mm=175, confidence=0.96, level=0.99) is None  # 30 are too few for it
    True
    """
    alike = held_out.alike(hc_mm) if held_out.scale == SCALE else ()
    rank = math.ceil((len(alike) + 1) * level - 1e-9)  # 10 * 0.9 is not 9 exactly
    return float(alike[rank - 1] * scale(hc_mm, confidence)) if rank <= len(alike) else None


def cross_widths(
    hc_pred_mm: ArrayLike,
    confidence: ArrayLike,
    hc_true_mm: ArrayLike,
    groups: Sequence[str],
    *,
    level: float = LEVEL,
    folds: int = 5,
) -> NDArray[np.float64]:
    """Half widths (n,), mm, of intervals that were each calibrated without the image's own part of the images.

    The `folds` parts are cut between groups (examinations). A width is infinite, so that its interval holds
    everything, where the other parts have too few images.
    """
    predicted, sure, true = (np.asarray(values, np.float64) for values in (hc_pred_mm, confidence, hc_true_mm))
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    fold = np.random.default_rng(0).permutation(number.max() + 1)[number] % folds
    widths = np.empty(len(predicted))
    for part in range(folds):
        rest = fold != part
        others = scores(predicted[rest], sure[rest], true[rest])
        for index in np.flatnonzero(~rest):
            width = half_width(others, float(predicted[index]), float(sure[index]), level)
            widths[index] = math.inf if width is None else width
    return widths
