import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.measurement import conformal
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.conformal import IntervalScores
from fetal_seg.measurement.quality import Quality
from fetal_seg.measurement.result import Flag, Measurement, Prediction
from tests.measurement.qualities import GOOD

HEAD = Ellipse(400, 270, 200, 160, 0.3)


def _prediction(ellipse=HEAD, quality=GOOD):
    return Prediction(ellipse.rasterise(540, 800), ellipse, quality)


@given(st.floats(40, 200), st.floats(0.6, 0.95), st.floats(-1.5, 1.5), st.floats(0.05, 0.4), st.floats(0.5, 2.0))
def test_millimetres_of_pixels_of_any_shape(a, ratio, angle, x_mm, stretch):
    """The perimeter by numerical integration of the stretched curve."""
    ellipse = Ellipse(400, 270, a, a * ratio, angle)
    measured = Measurement.from_prediction(_prediction(ellipse), Spacing(x_mm, x_mm * stretch, "given"))
    points = ellipse.points(20000) * (x_mm, x_mm * stretch)
    perimeter = np.hypot(*(np.roll(points, -1, axis=0) - points).T).sum()
    assert measured.hc_mm == pytest.approx(perimeter, rel=1e-5)
    if stretch == 1:
        assert measured.bpd_mm == pytest.approx(2 * a * ratio * x_mm)


def test_a_good_measurement_has_a_row_without_reasons():
    row = Measurement.from_prediction(_prediction(), Spacing(0.1, 0.1, "csv")).row()
    assert row["flag"] == "ok"
    assert row["reasons"] == []
    assert row["hc_mm"] == pytest.approx(HEAD.circumference * 0.1)
    assert row["bpd_mm"] == pytest.approx(32)
    assert row["ofd_mm"] == pytest.approx(40)
    assert row["cephalic_index"] == pytest.approx(80)
    assert row["area_mm2"] == pytest.approx(math.pi * 20 * 16)
    assert (row["width_px"], row["height_px"]) == (800, 540)
    assert row["hc_low_mm"] is None


def test_flags_are_the_words_of_tables():
    assert [str(flag) for flag in Flag] == ["ok", "check", "no head", "error"]
    assert f"{Flag.NO_HEAD}" == "no head" == Flag.NO_HEAD
    assert json.dumps({"flag": Flag.OK}) == '{"flag": "ok"}'


def test_an_interval_needs_a_calibration():
    calibration = Calibration(IntervalScores(conformal.SCALE, tuple(map(float, range(1, 20)))))
    measured = Measurement.from_prediction(_prediction(), Spacing(0.1, 0.1, "csv"), calibration=calibration)
    half = 18 * 0.01 * (measured.hc_mm / 175) ** 0.5
    assert measured.hc_high_mm - measured.hc_mm == pytest.approx(half)
    assert measured.hc_mm - measured.hc_low_mm == pytest.approx(half)


@pytest.mark.parametrize(("factor", "flag"), [(1.01, "ok"), (0.99, "check")])
def test_where_a_large_error_is_likely_a_person_is_to_look(factor, flag):
    limit = factor * (1 - GOOD.confidence) * (HEAD.circumference * 0.1 / 175) ** 0.5
    calibration = Calibration(IntervalScores(conformal.SCALE, (1.0,) * 20, (175.0,) * 20, limit))
    measured = Measurement.from_prediction(_prediction(), Spacing(0.1, 0.1, "csv"), calibration=calibration)
    assert measured.flag == flag
    assert ("a large error is likely" in measured.reasons) == (flag == "check")


def test_scores_of_another_scale_give_no_interval():
    calibration = Calibration(IntervalScores("as it was", (1.0,) * 20))
    assert (
        Measurement.from_prediction(_prediction(), Spacing(0.1, 0.1, "csv"), calibration=calibration).hc_low_mm is None
    )


def test_without_a_pixel_size_the_result_is_in_pixels_and_says_so():
    measured = Measurement.from_prediction(_prediction(), None)
    assert measured.hc_px == HEAD.circumference
    assert measured.hc_mm is None
    assert "pixels" in measured.reasons[0]
    assert "hc_mm" not in measured.row()


def test_no_head_has_no_number():
    row = Measurement.from_prediction(
        Prediction.nothing(20, 30), Spacing(0.1, 0.1, "csv"), notes=("frame 3 is odd",)
    ).row()
    assert row["flag"] == "no head"
    assert row["hc_px"] is None
    assert "hc_mm" not in row
    assert row["reasons"][-1] == "frame 3 is odd"


def test_a_gestational_age_gives_a_z_score():
    """By the check value of the standard: 172.5 mm is the mean at 20 weeks."""
    size = 172.5 / HEAD.circumference
    row = Measurement.from_prediction(_prediction(), Spacing(size, size, "given"), gestational_age_weeks=20.0).row()
    assert row["hc_z"] == pytest.approx(0, abs=0.02)
    assert row["hc_centile"] == pytest.approx(50, abs=1)
    assert Measurement.from_prediction(_prediction(), Spacing(0.1, 0.1, "given")).row()["hc_z"] is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cut": 0.1}, "touches the frame"),
        ({"agreement": 0.9}, "disagree (Dice 90 %)"),
        ({"spread": 0.2}, "by 20 %"),
        ({"spread": math.inf}, "some see no head"),
        ({"contrast": 8.0}, "contrast too low"),
        ({"novelty": 1.5}, "unlike the training data"),
        ({"confidence": 0.8}, "unsure"),
    ],
)
def test_each_doubt_is_told(change, told):
    quality = Quality(**{**GOOD.__dict__, **change})
    measured = Measurement.from_prediction(_prediction(quality=quality), Spacing(0.1, 0.1, "csv"))
    assert measured.flag == "check"
    assert len(measured.reasons) == 1
    assert told in measured.reasons[0]


@pytest.mark.parametrize("size", [0.009, 2.1])
def test_an_absurd_pixel_size_is_a_warning_in_the_row(size):
    measured = Measurement.from_prediction(_prediction(), Spacing(size, size, "given"))
    assert measured.flag == "check"
    assert any("absurd" in reason for reason in measured.reasons)
    assert measured.hc_mm is not None
