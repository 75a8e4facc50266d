"""From head circumference to age. For research use; not a medical device."""

import math

# Head circumference, mm, at 98 and at 196 days (14 and 28 weeks) by the formula of `gestational_age_days`.
TRIMESTER_LIMITS_MM = (97.68, 258.36)

# At 280 days (40 weeks), where the data behind the formula end.
LARGEST_MM = 346.68


def gestational_age_days(hc_mm: float) -> float | None:
    """Gestational age in days from the head circumference in mm, by the INTERGROWTH-21st formula.

    Source: A. T. Papageorghiou et al., Ultrasound-based gestational-age estimation in late pregnancy,
    Ultrasound Obstet Gynecol 48 (2016) 719.

    Returns:
        98 to 280 days; None where the circumference is outside of the formula's range (14 to 40 weeks,
        `TRIMESTER_LIMITS_MM` [0] to `LARGEST_MM`): it is not to be extrapolated.

    Raises:
        ValueError: the circumference is not a positive number.
    """
    _check(hc_mm)
    if not TRIMESTER_LIMITS_MM[0] <= hc_mm <= LARGEST_MM:
        return None
    return math.exp(0.05970 * math.log(hc_mm) ** 2 + 6.409e-9 * hc_mm**3 + 3.3258)


def trimester(hc_mm: float) -> int:
    """1 below 14 weeks, 2 from then on, 3 from 28 weeks on, by the head circumference in mm.

    Raises:
        ValueError: the circumference is not a positive number.
    """
    _check(hc_mm)
    return 1 + sum(hc_mm >= limit for limit in TRIMESTER_LIMITS_MM)


def _check(hc_mm: float) -> None:
    if not (math.isfinite(hc_mm) and hc_mm > 0):
        raise ValueError(f"a head circumference of {hc_mm} mm; it must be a positive number")
