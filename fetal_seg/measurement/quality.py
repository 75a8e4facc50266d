"""Whether a measurement can be trusted: reasons to look at it, in words.

The limits were set on HC18's validation images, see ``docs/measurement.md``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import pydantic.dataclasses
from pydantic import AliasChoices, Field, StrictFloat

from fetal_seg.config.plain_data import PlainData

LEAST_AGREEMENT = 0.96  # Dice of mask and ellipse
MOST_CUT = 0.02  # part of the ellipse outside the frame
MOST_SPREAD = 0.05  # of the circumferences of the flipped images, or of the networks, by their mean
LEAST_CONTRAST = 20.0  # grey values between the 5th and the 95th percentile about the head
MOST_NOVELTY = 1.0  # distance from the training data, by the largest among known images
FOREIGN = 2.0  # ... beyond it, what was found is no head where the network is unsure as well
UTTERLY_FOREIGN = 4.0  # ... beyond it, it is none at all
FARTHEST_Z = 6.0
PIXEL_SIZES_MM = (0.01, 2.0)
CIRCUMFERENCES_MM = (30.0, 450.0)  # of any fetus that can be measured so, with a margin


@pydantic.dataclasses.dataclass(frozen=True)
class Limits(PlainData):
    """What confidences, or probabilities, mean, by the heads that a checkpoint was calibrated on.

    Files of format 1 have other names.

    Attributes:
        review_below: what has less is to be looked at.
        reject_below: what has less is no head.
    """

    review_below: Annotated[StrictFloat, Field(validation_alias=AliasChoices("review_below", "surest_doubt"))]
    reject_below: Annotated[StrictFloat, Field(validation_alias=AliasChoices("reject_below", "least"))]


UNCALIBRATED = Limits(0.0, 0.0)


@dataclass(frozen=True)
class Quality:
    """What tells good measurements from bad ones.

    Attributes:
        confidence: mean probability in the region that was found, 0.5 to 1.
        agreement: Dice of mask and ellipse, 0 to 1.
        cut: part of the ellipse outside the frame, 0 to 1.
        contrast: range of the grey values about the head, 0 to 255.
        novelty: how unlike the held-out heads this one looks, 1 at the most unlike of these; None where unknown.
        spread: largest less smallest circumference of flips or networks, by their mean; None where there is but one;
            infinite where some saw no head.
        turned: whether it was found only when the picture was turned by a quarter.
        limits: of the confidence.
        head_probability: that it is a fetal head in a standard plane, 0 to 1; None where the checkpoint cannot tell.
        head_limits: of this probability.
    """

    confidence: float
    agreement: float
    cut: float
    contrast: float
    novelty: float | None = None
    spread: float | None = None
    turned: bool = False
    limits: Limits = UNCALIBRATED
    head_probability: float | None = None
    head_limits: Limits = UNCALIBRATED

    @property
    def is_head(self) -> bool:
        """Whether what was found is a head at all, rather than something that is measured and flagged."""
        novelty = self.novelty or 0.0
        review_below, reject_below = self.limits.review_below, self.limits.reject_below
        needed = (reject_below + review_below) / 2 if novelty > FOREIGN else reject_below
        needed = review_below if self.turned else needed
        return self.confidence >= needed and novelty <= UTTERLY_FOREIGN and not self.is_another_plane

    @property
    def is_another_plane(self) -> bool:
        """Whether the head gate says that it is no head."""
        needed = self.head_limits.review_below if self.turned else self.head_limits.reject_below
        return self.head_probability is not None and self.head_probability < needed

    def with_spread(self, circumferences: Sequence[float | None]) -> "Quality":
        """The same, knowing the circumferences that single flips or networks gave; None where one saw no head."""
        heads = [value for value in circumferences if value is not None]
        if len(heads) < len(circumferences):
            return replace(self, spread=math.inf)
        return replace(self, spread=(max(heads) - min(heads)) / (sum(heads) / len(heads)))

    def reasons(self) -> list[str]:
        """Why the measurement is to be looked at; none where it is good."""
        reasons = []
        if self.cut > MOST_CUT:
            reasons.append("the head touches the frame")
        if self.agreement < LEAST_AGREEMENT:
            reasons.append(f"ellipse and mask disagree (Dice {100 * self.agreement:.0f} %)")
        if self.spread is not None and self.spread > MOST_SPREAD:
            extent = "some see no head" if math.isinf(self.spread) else f"by {100 * self.spread:.0f} %"
            reasons.append(f"flips or networks disagree ({extent})")
        if self.contrast < LEAST_CONTRAST:
            reasons.append(f"contrast too low ({self.contrast:.0f} grey values)")
        if self.novelty is not None and self.novelty > MOST_NOVELTY:
            reasons.append("the image is unlike the training data")
        if self.turned:
            reasons.append("found only when the picture was turned by a quarter")
        if self.head_probability is not None and self.head_probability < self.head_limits.review_below:
            reasons.append(
                f"may be another plane than the head's (head probability {100 * self.head_probability:.0f} %)"
            )
        if self.confidence < self.limits.review_below:
            reasons.append(f"the network is unsure ({100 * self.confidence:.0f} %)")
        return reasons


def size_reasons(x_mm: float, y_mm: float, hc_mm: float, z: float | None = None) -> list[str]:
    """What is odd about a pixel size, mm, the circumference that it gives, mm, and its z-score at the age given."""
    reasons = []
    low, high = PIXEL_SIZES_MM
    if not (low <= x_mm <= high and low <= y_mm <= high):
        size = f"{x_mm:g}" if x_mm == y_mm else f"{x_mm:g} x {y_mm:g}"
        reasons.append(f"a pixel size of {size} mm is absurd (outside {low:g} to {high:g} mm)")
    low, high = CIRCUMFERENCES_MM
    if not low <= hc_mm <= high:
        reasons.append(f"no head has a circumference of {hc_mm:.0f} mm; check the pixel size")
    if z is not None and abs(z) > FARTHEST_Z:
        reasons.append(f"far from the size at the age given (z {z:+.1f}): check the age and the pixel size")
    return reasons
