import math
from dataclasses import replace

import pytest

from fetal_seg.errors import InputError
from fetal_seg.evaluation.metrics import dice, ellipse_dice
from fetal_seg.evaluation.scoring import score, score_records
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement import conformal
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.conformal import IntervalScores
from fetal_seg.measurement.result import Prediction
from tests.data.made_records import make_records
from tests.measurement.qualities import GOOD

SHAPE = (54, 80)


class Stub:
    """A predictor that always sees this head."""

    def __init__(self, head, calibration=None):
        self.head, self.calibration = head, calibration

    def predict(self, images):
        return [Prediction(self.head.rasterise(*image.shape), self.head, GOOD) for image in images]


@pytest.fixture
def records(tmp_path):
    return make_records(tmp_path, 10)


def test_each_record_is_scored_against_its_own_truth_in_their_order(records):
    head = Ellipse(40, 27, 17, 12, 0.0)
    scored = list(score_records(Stub(head), records))
    assert [one.record for one in scored] == records
    for one in scored:
        row, truth = one.scores, one.record.read_truth()[0]
        assert one.truth == truth
        assert (row["file"], row["examination"], row["missed"]) == (one.record.name, one.record.examination, False)
        assert row["dice"] == dice(head.rasterise(*SHAPE), truth.rasterise(*SHAPE))
        assert row["ellipse_dice"] == ellipse_dice(head, truth, *SHAPE)
        difference = (head.circumference - truth.circumference) * one.record.pixel_size_mm
        assert row["df_mm"] == pytest.approx(difference)
        assert row["adf_mm"] == pytest.approx(abs(difference))
        assert row["hc_pred_mm"] - row["hc_true_mm"] == pytest.approx(difference)


@pytest.mark.parametrize(("limit", "flag"), [(1e-9, "check"), (1.0, "ok")])
def test_flags_are_those_of_a_prediction(records, limit, flag):
    interval = IntervalScores(conformal.SCALE, (1.0,) * 20, (175.0,) * 20, review_above=limit)
    sized = [replace(record, pixel_size_mm=1.5) for record in records]
    for one in score_records(Stub(Ellipse(40, 27, 17, 12, 0.0), Calibration(interval)), sized):
        assert one.scores["flag"] == flag
        assert ("a large error is likely" in one.scores["reasons"]) == (flag == "check")


def test_a_missed_head_is_infinitely_far(records):
    truth = records[0].read_truth()[0]
    row = score(records[0], SHAPE, truth, Prediction.nothing(*SHAPE))
    assert (row["missed"], row["dice"], row["ellipse_dice"], row["flag"]) == (True, 0.0, 0.0, "no head")
    assert row["hc_pred_mm"] is None
    assert row["adf_mm"] == row["hd_mm"] == row["ellipse_hd_mm"] == math.inf


def test_without_a_pixel_size_there_are_overlaps_and_no_millimetres(records):
    truth = records[0].read_truth()[0]
    prediction = Prediction(truth.rasterise(*SHAPE), truth, GOOD)
    row = score(replace(records[0], pixel_size_mm=None), SHAPE, truth, prediction)
    assert (row["dice"], row["iou"], row["ellipse_dice"]) == (1, 1, 1)
    assert not [column for column in row if column.endswith("_mm")]


def test_an_image_that_cannot_be_read_is_told(records):
    records[9].image.unlink()
    with pytest.raises(InputError, match="there is no such file"):
        list(score_records(Stub(Ellipse(40, 27, 17, 12, 0.0)), records))
