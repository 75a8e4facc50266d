"""From the ellipse of a head to its biometry: diameters, age, and size for age. For research use; not a medical device.

A z-score or a centile needs an age from elsewhere, such as the first scan. One computed from the
same circumference would be circular, near 0 for any head, and is not offered.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fetal_seg.config.types import check_gestational_age
from fetal_seg.geometry.ellipse import Ellipse

# Head circumference, mm, at 98 and at 196 days (14 and 28 weeks) by the formula of `INTERGROWTH`
TRIMESTER_LIMITS_MM = (97.68, 258.36)
LARGEST_HC_MM = 346.68  # at 280 days (40 weeks), where the data behind that formula end
SIZE_LIMITS_WEEKS = (14.0, 40.0)  # where the standard of `size_for_age` holds, both included
OUT_OF_RANGE = "out of range"
INTERGROWTH_COEFFICIENTS = (0.05970, 6.409e-9, 3.3258)  # of ln(HC)^2, HC^3 and 1 in ln(days), HC in mm
HADLOCK_COEFFICIENTS = (8.96, 0.540, 0.0003)  # of 1, HC and HC^3 in weeks, HC in cm


@dataclass(frozen=True)
class DatingFormula:
    """A regression of the age on the head circumference, with the range in which it holds.

    Attributes:
        name, source: what tables call it, and its publication.
        regression: weeks from mm, without regard to the range.
        weeks, hc_mm: lowest and highest age, and the circumference at these, both included.
    """

    name: str
    source: str
    regression: Callable[[float], float]
    weeks: tuple[float, float]
    hc_mm: tuple[float, float]

    @property
    def range_text(self) -> str:
        """The range for a reader: ``14 to 40 weeks, 97.7 to 346.7 mm``."""
        return f"{self.weeks[0]:g} to {self.weeks[1]:g} weeks, {self.hc_mm[0]:.1f} to {self.hc_mm[1]:.1f} mm"

    def age_weeks(self, hc_mm: float) -> float | None:
        """Age in weeks from the circumference in mm; None out of range, where it is not to be extrapolated.

        Raises:
            ValueError: the circumference is not a positive number.

        >>> age_text(INTERGROWTH.age_weeks(175.0)), age_text(INTERGROWTH.age_weeks(80.0))
        ('20 w 2 d', 'out of range')
        """
        _check(hc_mm)
        return self.regression(hc_mm) if self.hc_mm[0] <= hc_mm <= self.hc_mm[1] else None


def _intergrowth_weeks(hc_mm: float) -> float:
    of_log, of_cube, constant = INTERGROWTH_COEFFICIENTS
    return math.exp(of_log * math.log(hc_mm) ** 2 + of_cube * hc_mm**3 + constant) / 7


def _hadlock_weeks(hc_mm: float) -> float:
    """Variants with a term in HC^2 circulate; they are wrong."""
    constant, of_length, of_cube = HADLOCK_COEFFICIENTS
    hc_cm = hc_mm / 10
    return constant + of_length * hc_cm + of_cube * hc_cm**3


INTERGROWTH = DatingFormula(
    name="INTERGROWTH-21st",
    source="A. T. Papageorghiou et al., Ultrasound Obstet Gynecol 2016;48:719",
    regression=_intergrowth_weeks,
    weeks=(14.0, 40.0),
    hc_mm=(TRIMESTER_LIMITS_MM[0], LARGEST_HC_MM),
)
HADLOCK = DatingFormula(
    name="Hadlock 1984",
    source="F. P. Hadlock et al., Radiology 1984;152:497",
    regression=_hadlock_weeks,
    weeks=(12.0, 42.0),
    hc_mm=(55.35, 357.66),
)
DATING_FORMULAS = (INTERGROWTH, HADLOCK)


def trimester(hc_mm: float) -> int:
    """1 below 14 weeks, 2 from then on, 3 from 28 weeks on, by the head circumference in mm.

    Raises:
        ValueError: the circumference is not a positive number.
    """
    _check(hc_mm)
    return 1 + sum(hc_mm >= limit for limit in TRIMESTER_LIMITS_MM)


def age_text(weeks: float | None) -> str:
    """An age in weeks and days, to the nearest day: ``21 w 3 d``; ``out of range`` for None."""
    if weeks is None:
        return OUT_OF_RANGE
    whole, days = divmod(round(7 * weeks), 7)
    return f"{whole} w {days} d"


def size_for_age(gestational_age_weeks: float) -> tuple[float, float] | None:
    """Mean and standard deviation, mm, of the head circumference at an age in exact weeks.

    Source: A. T. Papageorghiou et al., International standards for fetal growth based on serial
    ultrasound measurements, Lancet 384 (2014) 869 (INTERGROWTH-21st).

    Returns:
        None outside of `SIZE_LIMITS_WEEKS` (14 to 40). Raises as `check_gestational_age` does.

    >>> mean, deviation = size_for_age(28)
    >>> round(mean, 1), round(deviation, 2)  # as published
    (260.4, 8.94)
    """
    weeks = check_gestational_age(gestational_age_weeks)
    if not SIZE_LIMITS_WEEKS[0] <= weeks <= SIZE_LIMITS_WEEKS[1]:
        return None
    mean, deviation = _size(np.asarray(weeks, np.float64))
    return float(mean), float(deviation)


def z_score(hc_mm: float, gestational_age_weeks: float) -> float | None:
    """Standard deviations by which a head is larger than the mean of its age, which must come from elsewhere.

    None where the standard does not hold; see `size_for_age`.

    Raises:
        ValueError: the circumference is not a positive number, or the age is none.

    >>> z = z_score(251.5, 28)
    >>> round(z, 2), round(centile(z))
    (-0.99, 16)
    """
    _check(hc_mm)
    size = size_for_age(gestational_age_weeks)
    return None if size is None else (hc_mm - size[0]) / size[1]


def centile(z: float) -> float:
    """The percentage, 0 to 100, of heads of the same age that are smaller: the standard normal distribution at `z`."""
    return 100 * NormalDist().cdf(z)


def hc_at_centile(weeks: ArrayLike, centile: float) -> NDArray[np.float64]:
    """Head circumference, mm, on a centile of the standard of `size_for_age`, in the shape of `weeks`.

    NaN where the age, in exact weeks, is outside of `SIZE_LIMITS_WEEKS`.

    Raises:
        ValueError: the centile is not above 0 and below 100.
    """
    if not 0 < centile < 100:
        raise ValueError(f"a centile of {centile:g}; it must be above 0 and below 100")
    weeks = np.asarray(weeks, np.float64)
    mean, deviation = _size(inside := np.clip(weeks, *SIZE_LIMITS_WEEKS))
    return np.where(inside == weeks, mean + NormalDist().inv_cdf(centile / 100) * deviation, np.nan)


def _size(weeks: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation, mm, without regard to the range."""
    log = np.log(weeks)
    mean = -28.2849 + 1.69267 * weeks**2 - 0.397485 * weeks**2 * log
    return mean, 1.98735 + weeks**3 * (0.0136772 - 0.00726264 * log + 0.000976253 * log**2)


@dataclass(frozen=True)
class Biometry:
    """What is measured of a head. Ages and sizes for age are None out of the range of their source.

    Attributes:
        hc_mm, area_mm2: head circumference, mm, and area, mm^2.
        bpd_mm: biparietal diameter, outer to outer: the short axis, mm.
        ofd_mm: occipitofrontal diameter, outer to outer: the long axis, mm.
        cephalic_index_percent: 100 BPD / OFD, above 0 and at most 100.
        ga_intergrowth_weeks, ga_hadlock_weeks: age from the circumference, weeks.
        gestational_age_weeks: age from elsewhere as it was given, weeks; None where it was not.
        hc_z, hc_centile: z-score and centile, 0 to 100, for the given age; None without one.
    """

    hc_mm: float
    bpd_mm: float
    ofd_mm: float
    area_mm2: float
    cephalic_index_percent: float
    ga_intergrowth_weeks: float | None
    ga_hadlock_weeks: float | None
    gestational_age_weeks: float | None = None
    hc_z: float | None = None
    hc_centile: float | None = None

    @classmethod
    def from_ellipse(cls, ellipse_mm: Ellipse, gestational_age_weeks: float | None = None) -> "Biometry":
        """The biometry of an ellipse in mm, at an age that is not from the image; raises as `z_score` does.

        >>> head = Biometry.from_ellipse(Ellipse(48, 32, 30, 23, 0))
        >>> round(head.hc_mm, 1), head.bpd_mm, head.ofd_mm
        (167.2, 46.0, 60.0)
        """
        hc_mm = ellipse_mm.circumference
        z = None if gestational_age_weeks is None else z_score(hc_mm, gestational_age_weeks)
        return cls(
            hc_mm=hc_mm,
            bpd_mm=2 * ellipse_mm.semi_axis_b,
            ofd_mm=2 * ellipse_mm.semi_axis_a,
            area_mm2=ellipse_mm.area,
            cephalic_index_percent=100 * (ellipse_mm.semi_axis_b / ellipse_mm.semi_axis_a),
            ga_intergrowth_weeks=INTERGROWTH.age_weeks(hc_mm),
            ga_hadlock_weeks=HADLOCK.age_weeks(hc_mm),
            gestational_age_weeks=gestational_age_weeks,
            hc_z=z,
            hc_centile=None if z is None else centile(z),
        )


def _check(hc_mm: float) -> None:
    if not (math.isfinite(hc_mm) and hc_mm > 0):
        raise ValueError(f"a head circumference of {hc_mm} mm; it must be a positive number")
