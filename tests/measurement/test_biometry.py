import csv
import math
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from fetal_seg.config.types import check_gestational_age
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement.biometry import (
    DATING_FORMULAS,
    HADLOCK,
    INTERGROWTH,
    LARGEST_HC_MM,
    SIZE_LIMITS_WEEKS,
    TRIMESTER_LIMITS_MM,
    Biometry,
    age_text,
    centile,
    hc_at_centile,
    size_for_age,
    trimester,
    z_score,
)

# Check values of the standard of size for age (Lancet 2014;384:869): weeks, mean and standard deviation in mm
SIZES = [(14, 97.9, 5.58), (20, 172.5, 7.44), (28, 260.4, 8.94), (36, 319.4, 10.76), (40, 333.9, 12.92)]
within = st.floats(*SIZE_LIMITS_WEEKS)
heads = st.builds(
    Ellipse,
    center_x=st.floats(-100, 100),
    center_y=st.floats(-100, 100),
    semi_axis_a=st.floats(5, 90),
    semi_axis_b=st.floats(5, 90),
    angle_rad=st.floats(-4, 4),
)


def _formula(hc_mm: float) -> float:
    return math.exp(0.05970 * math.log(hc_mm) ** 2 + 6.409e-9 * hc_mm**3 + 3.3258)


def _days(hc_mm: float) -> float | None:
    weeks = INTERGROWTH.age_weeks(hc_mm)
    return None if weeks is None else 7 * weeks


def test_the_limits_are_where_the_formula_gives_14_28_and_40_weeks():
    limits = [optimize.brentq(lambda hc, days=days: _formula(hc) - days, 50, 400) for days in (98, 196, 280)]
    assert (*TRIMESTER_LIMITS_MM, LARGEST_HC_MM) == pytest.approx(limits, abs=0.005)


@pytest.mark.parametrize("formula", DATING_FORMULAS, ids=lambda formula: formula.name)
def test_a_dating_formula_holds_from_its_lowest_to_its_highest_age(formula):
    limits = [optimize.brentq(lambda hc, at=at: formula.regression(hc) - at, 10, 500) for at in formula.weeks]
    assert formula.hc_mm == pytest.approx(limits, abs=0.005)
    for hc_mm, weeks in zip(formula.hc_mm, formula.weeks, strict=True):
        assert formula.age_weeks(hc_mm) == pytest.approx(weeks, abs=0.002)
    assert formula.age_weeks(formula.hc_mm[0] - 0.01) is None
    assert formula.age_weeks(formula.hc_mm[1] + 0.01) is None
    assert re.search(r"\d{4};\d+:\d+", formula.source)


def test_the_range_of_a_formula_is_told_to_the_reader():
    assert INTERGROWTH.range_text == "14 to 40 weeks, 97.7 to 346.7 mm"
    assert HADLOCK.range_text == "12 to 42 weeks, 55.4 to 357.7 mm"


@given(st.floats(10, 500))
def test_the_functions_are_the_formulas(hc_mm):
    days, weeks = _days(hc_mm), HADLOCK.age_weeks(hc_mm)
    assert (days is not None) == (TRIMESTER_LIMITS_MM[0] <= hc_mm <= LARGEST_HC_MM)
    assert (weeks is not None) == (HADLOCK.hc_mm[0] <= hc_mm <= HADLOCK.hc_mm[1])
    assert days is None or days == pytest.approx(_formula(hc_mm))
    assert weeks is None or weeks == pytest.approx(np.polyval([0.0003, 0, 0.540, 8.96], hc_mm / 10))


@pytest.mark.parametrize(("hc_mm", "weeks"), [(100, 14.66), (200, 22.16), (300, 33.26)])
def test_hadlock_by_hand(hc_mm, weeks):
    assert HADLOCK.age_weeks(hc_mm) == pytest.approx(weeks)


@pytest.mark.parametrize("hc_mm", [100, 172.5, 260.4, 319.4])
def test_the_two_formulas_agree_within_a_fortnight(hc_mm):
    assert HADLOCK.age_weeks(hc_mm) == pytest.approx(_days(hc_mm) / 7, abs=2)


@pytest.mark.parametrize(("hc_mm", "weeks"), [(97.9, 14), (172.5, 20), (260.4, 28), (319.4, 36), (333.9, 40)])
def test_age_against_the_size_standard_of_the_same_study(hc_mm, weeks):
    """Lancet 2014;384:869 gives the mean size for age, another regression: the two agree closely but at the end."""
    age = _days(hc_mm)
    assert age is not None
    assert age == pytest.approx(7 * weeks, abs=15 if weeks == 40 else 4)


def test_age_grows_with_the_head():
    ages = [_days(hc) for hc in range(98, 347)]
    assert ages == sorted(ages)


@pytest.mark.parametrize("hc_mm", [44.3, 97.67, 346.7, 400.0])
def test_out_of_range_is_not_extrapolated(hc_mm):
    assert _days(hc_mm) is None


@pytest.mark.parametrize(
    ("hc_mm", "expected"), [(44.3, 1), (97.67, 1), (97.68, 2), (258.35, 2), (258.36, 3), (346.4, 3), (500.0, 3)]
)
def test_trimester(hc_mm, expected):
    assert trimester(hc_mm) == expected


@pytest.mark.parametrize("hc_mm", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("function", [trimester, _days, HADLOCK.age_weeks, lambda hc_mm: z_score(hc_mm, 20)])
def test_what_is_no_circumference_is_refused(function, hc_mm):
    with pytest.raises(ValueError, match="positive"):
        function(hc_mm)


@pytest.mark.skipif(not os.environ.get("HC18_ROOT"), reason="HC18_ROOT does not say where HC18 is")
def test_trimesters_of_hc18():
    table = Path(os.environ["HC18_ROOT"]) / "training_set_pixel_size_and_HC.csv"
    with table.open(newline="", encoding="utf-8") as file:
        counts = Counter(trimester(float(row["head circumference (mm)"])) for row in csv.DictReader(file))
    assert counts == {1: 174, 2: 682, 3: 143}


@pytest.mark.parametrize(
    ("weeks", "text"),
    [
        (21 + 3 / 7, "21 w 3 d"),
        (14.0, "14 w 0 d"),
        (20.9999, "21 w 0 d"),
        (39 + 6.4 / 7, "39 w 6 d"),
        (39 + 6.6 / 7, "40 w 0 d"),
        (None, "out of range"),
    ],
)
def test_age_text(weeks, text):
    assert age_text(weeks) == text


@given(st.floats(0, 45))
def test_age_text_is_right_to_half_a_day(weeks):
    whole, days = map(int, re.fullmatch(r"(\d+) w ([0-6]) d", age_text(weeks)).groups())
    assert abs(whole * 7 + days - weeks * 7) <= 0.5 + 1e-9


@pytest.mark.parametrize("weeks", [0.0, -3.0, 45.01, 150.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "function",
    [
        size_for_age,
        lambda weeks: z_score(200, weeks),
        lambda weeks: Biometry.from_ellipse(Ellipse(0, 0, 40, 30, 0), weeks),
    ],
)
def test_what_is_no_gestational_age_is_refused_with_value_rule_and_remedy(function, weeks):
    with pytest.raises(InputError, match=rf"{weeks:g} weeks; it must be above 0 and at most 45, in weeks: 21.43 for"):
        function(weeks)


@pytest.mark.parametrize("weeks", [0.1, 13.9, 20, 45.0])
def test_a_gestational_age_need_not_be_in_the_range_of_a_standard(weeks):
    assert check_gestational_age(weeks) == weeks


@pytest.mark.parametrize(("weeks", "mean_mm", "sd_mm"), SIZES)
def test_size_for_age_has_the_published_values(weeks, mean_mm, sd_mm):
    mean, deviation = size_for_age(weeks)
    assert mean == pytest.approx(mean_mm, abs=0.06)
    assert deviation == pytest.approx(sd_mm, abs=0.006)


@pytest.mark.parametrize("weeks", [0.5, 12, 13.999, 40.001, 45])
def test_size_for_age_is_not_extrapolated(weeks):
    assert size_for_age(weeks) is None
    assert z_score(200, weeks) is None
    assert np.isnan(hc_at_centile(weeks, 50))


def test_size_and_every_centile_grow_with_age():
    weeks = np.linspace(*SIZE_LIMITS_WEEKS, 500)
    for percent in (0.1, 3, 10, 50, 90, 97, 99.9):
        assert (np.diff(hc_at_centile(weeks, percent)) > 0).all()
    assert (np.diff([size_for_age(age)[1] for age in weeks]) > 0).all()


@given(st.floats(-8, 8))
def test_centile_is_the_normal_distribution(z):
    assert centile(z) == pytest.approx(100 * stats.norm.cdf(z), abs=1e-9)


@given(within, st.floats(-4, 4))
def test_z_score_undoes_the_standard(weeks, z):
    mean, deviation = size_for_age(weeks)
    assert z_score(mean + z * deviation, weeks) == pytest.approx(z, abs=1e-9)


@given(within, st.floats(0.01, 99.99))
def test_the_centile_of_the_head_at_a_centile_is_that_centile(weeks, percent):
    assert centile(z_score(float(hc_at_centile(weeks, percent)), weeks)) == pytest.approx(percent)


@pytest.mark.parametrize(("weeks", "percent"), [(14, 3), (21.5, 50), (33, 97), (40, 10)])
def test_the_head_at_a_centile_is_the_root_of_the_centile(weeks, percent):
    root = optimize.brentq(lambda hc: centile(z_score(hc, weeks)) - percent, 50, 450)
    assert hc_at_centile(weeks, percent) == pytest.approx(root, abs=1e-6)


def test_heads_at_a_centile_have_the_shape_of_the_ages():
    weeks = np.array([[13.0, 14.0, 20.0], [36.0, 40.0, math.nan]])
    sizes = hc_at_centile(weeks, 97)
    assert sizes.shape == weeks.shape
    assert np.isnan(sizes).tolist() == [[True, False, False], [False, False, True]]
    assert sizes[0, 2] == pytest.approx(172.48 + stats.norm.ppf(0.97) * 7.44, abs=0.02)


@pytest.mark.parametrize("percent", [0, 100, -1, math.nan])
def test_a_centile_is_between_0_and_100(percent):
    with pytest.raises(ValueError, match="above 0 and below 100"):
        hc_at_centile(20, percent)


@given(heads)
def test_biometry_of_an_ellipse(ellipse):
    head = Biometry.from_ellipse(ellipse)
    eccentricity = 1 - (head.bpd_mm / head.ofd_mm) ** 2
    assert head.hc_mm == pytest.approx(2 * head.ofd_mm * special.ellipe(eccentricity), rel=5e-4)
    assert head.area_mm2 == pytest.approx(math.pi / 4 * head.bpd_mm * head.ofd_mm)
    assert math.pi * head.bpd_mm * (1 - 1e-9) <= head.hc_mm <= math.pi * head.ofd_mm * (1 + 1e-9)
    assert 0 < head.cephalic_index_percent <= 100
    assert head.cephalic_index_percent == pytest.approx(100 * head.bpd_mm / head.ofd_mm)
    days = _days(head.hc_mm)
    assert head.ga_intergrowth_weeks == (None if days is None else pytest.approx(days / 7))
    assert head.ga_hadlock_weeks == HADLOCK.age_weeks(head.hc_mm)
    assert (head.gestational_age_weeks, head.hc_z, head.hc_centile) == (None, None, None)  # an own age is circular


@given(heads, st.floats(-4, 4))
def test_biometry_does_not_depend_on_where_the_head_lies(ellipse, turn):
    cos, sin = math.cos(turn), math.sin(turn)
    moved, head = (
        Biometry.from_ellipse(ellipse.transform(np.array([[cos, -sin, 30], [sin, cos, -7]]))),
        Biometry.from_ellipse(ellipse),
    )
    for name in ("hc_mm", "bpd_mm", "ofd_mm", "area_mm2", "cephalic_index_percent"):
        assert getattr(moved, name) == pytest.approx(getattr(head, name))


def test_the_axes_are_diameters_outer_to_outer():
    head = Biometry.from_ellipse(Ellipse(12, 34, 30, 40, 0.3))
    assert (head.bpd_mm, head.ofd_mm, head.cephalic_index_percent) == (60, 80, 75)


def test_biometry_at_an_age_from_elsewhere():
    mean, deviation = size_for_age(24)
    radius = (mean - 1.5 * deviation) / (2 * math.pi)
    head = Biometry.from_ellipse(Ellipse(0, 0, radius, radius, 0), 24)
    assert head.gestational_age_weeks == 24
    assert head.hc_z == pytest.approx(-1.5)
    assert head.hc_centile == pytest.approx(100 * stats.norm.cdf(-1.5))


@pytest.mark.parametrize("weeks", [12.0, 41.5])
def test_biometry_at_an_age_out_of_range_keeps_the_age_alone(weeks):
    head = Biometry.from_ellipse(Ellipse(0, 0, 40, 30, 0), weeks)
    assert (head.gestational_age_weeks, head.hc_z, head.hc_centile) == (weeks, None, None)


def test_a_head_too_small_for_both_formulas_has_no_age():
    head = Biometry.from_ellipse(Ellipse(0, 0, 8, 7, 0))
    assert (head.ga_intergrowth_weeks, head.ga_hadlock_weeks) == (None, None)
