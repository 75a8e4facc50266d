import csv
import math
import os
from collections import Counter
from pathlib import Path

import pytest
from scipy import optimize

from fetal_seg.biometry import LARGEST_MM, TRIMESTER_LIMITS_MM, gestational_age_days, trimester


def _formula(hc_mm: float) -> float:
    return math.exp(0.05970 * math.log(hc_mm) ** 2 + 6.409e-9 * hc_mm**3 + 3.3258)


def test_the_limits_are_where_the_formula_gives_14_28_and_40_weeks():
    limits = [optimize.brentq(lambda hc, days=days: _formula(hc) - days, 50, 400) for days in (98, 196, 280)]
    assert (*TRIMESTER_LIMITS_MM, LARGEST_MM) == pytest.approx(limits, abs=0.005)


@pytest.mark.parametrize(("hc_mm", "weeks"), [(97.9, 14), (172.5, 20), (260.4, 28), (319.4, 36), (333.9, 40)])
def test_age_against_the_size_standard_of_the_same_study(hc_mm, weeks):
    """Lancet 2014;384:869 gives the mean size for age, another regression: the two agree closely but at the end."""
    age = gestational_age_days(hc_mm)
    assert age is not None
    assert age == pytest.approx(7 * weeks, abs=15 if weeks == 40 else 4)


def test_age_grows_with_the_head():
    ages = [gestational_age_days(hc) for hc in range(98, 347)]
    assert ages == sorted(ages)


@pytest.mark.parametrize("hc_mm", [44.3, 97.67, 346.7, 400.0])
def test_out_of_range_is_not_extrapolated(hc_mm):
    assert gestational_age_days(hc_mm) is None


@pytest.mark.parametrize(
    ("hc_mm", "expected"), [(44.3, 1), (97.67, 1), (97.68, 2), (258.35, 2), (258.36, 3), (346.4, 3), (500.0, 3)]
)
def test_trimester(hc_mm, expected):
    assert trimester(hc_mm) == expected


@pytest.mark.parametrize("hc_mm", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("function", [trimester, gestational_age_days])
def test_what_is_no_circumference_is_refused(function, hc_mm):
    with pytest.raises(ValueError, match="positive"):
        function(hc_mm)


@pytest.mark.skipif(not os.environ.get("HC18_ROOT"), reason="HC18_ROOT does not say where HC18 is")
def test_trimesters_of_hc18():
    table = Path(os.environ["HC18_ROOT"]) / "training_set_pixel_size_and_HC.csv"
    with table.open(newline="", encoding="utf-8") as file:
        counts = Counter(trimester(float(row["head circumference (mm)"])) for row in csv.DictReader(file))
    assert counts == {1: 174, 2: 682, 3: 143}
