import math

import pytest

from fetal_seg.measurement.quality import Quality, size_reasons
from tests.measurement.qualities import GOOD


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 0.6},
        {"novelty": 50.0},
        {"novelty": 2.5, "confidence": 0.8},
        {"turned": True, "confidence": 0.85},
    ],
)
def test_what_is_no_head(change):
    assert GOOD.is_head
    assert not Quality(**{**GOOD.__dict__, **change}).is_head


def test_a_foreign_image_that_leaves_no_other_doubt_is_a_head_to_be_checked():
    """Grey values of another scanner are no reason to refuse what network and ellipse agree on."""
    quality = Quality(**{**GOOD.__dict__, "novelty": 3.5})
    assert quality.is_head
    assert quality.reasons() == ["the image is unlike the training data"]


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 0.76, "agreement": 0.93},
        {"confidence": 0.76, "agreement": 0.93, "novelty": 1.4},
        {"confidence": 0.85, "novelty": 2.5},
    ],
)
def test_doubts_are_told_rather_than_a_head_refused(change):
    quality = Quality(**{**GOOD.__dict__, **change})
    assert quality.is_head
    assert len(quality.reasons()) == len(change)


def test_sizes_of_real_heads_are_not_odd():
    assert size_reasons(0.12, 0.12, 175.0) == []
    assert "circumference of 900 mm" in size_reasons(0.5, 0.5, 900.0)[0]


def test_spread_is_relative():
    assert GOOD.with_spread([100.0, 110.0, 105.0]).spread == pytest.approx(10 / 105)
    assert GOOD.with_spread([100.0, None]).spread == math.inf
