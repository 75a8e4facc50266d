import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.measurement import conformal


def _images(rng, count):
    """Predicted circumferences, confidences and true circumferences; errors are larger where the confidence is low."""
    true, sure = rng.uniform(60, 340, count), rng.uniform(0.85, 0.99, count)
    return true + rng.standard_t(4, count) * (1.1 - sure) * 15, sure, true


def test_new_images_are_covered_as_often_as_is_stated():
    """Over many calibrations of 60 images, the mean coverage of new images is the level, as the theorem says."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        held_out = conformal.scores(*_images(rng, 60))
        predicted, sure, true = _images(rng, 50)
        widths = np.array([conformal.half_width(held_out, *one) for one in zip(predicted, sure, strict=True)])
        covered.append((np.abs(predicted - true) <= widths).mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.012)


@given(st.lists(st.floats(0.01, 50), min_size=9, max_size=80), st.floats(50, 350), st.floats(0.5, 0.98))
def test_the_half_width_is_an_order_statistic(errors, hc_mm, sure):
    held_out = sorted(errors)
    known = conformal.IntervalScores(conformal.SCALE, tuple(held_out))
    rank = int(np.ceil(round((len(errors) + 1) * 0.9, 9)))
    width = conformal.half_width(known, hc_mm, sure)
    if rank > len(errors):
        assert width is None
    else:
        assert width == pytest.approx(held_out[rank - 1] * (1 - sure) * (hc_mm / 175) ** 0.5)


def test_nine_images_are_enough_and_eight_are_not():
    for count, width in ((9, 0.5), (8, None), (0, None)):
        assert conformal.half_width(conformal.IntervalScores(conformal.SCALE, (1.0,) * count), 175.0, 0.5) == width


def test_intervals_grow_with_the_head_the_doubt_and_the_level_and_never_vanish():
    held_out = conformal.scores(*_images(np.random.default_rng(1), 100))
    assert conformal.half_width(held_out, 240, 0.9) > conformal.half_width(held_out, 100, 0.9)
    assert conformal.half_width(held_out, 200, 0.9) > conformal.half_width(held_out, 200, 0.95)
    assert conformal.half_width(held_out, 200, 0.9, 0.95) >= conformal.half_width(held_out, 200, 0.9, 0.8)
    assert conformal.half_width(held_out, 200, 1.0) > 0


def test_each_trimester_is_covered_as_often_as_is_stated():
    """Late heads have three times the errors that the scale expects of them; one quantile for all would cover 60 %."""
    rng = np.random.default_rng(4)

    def images(count):
        predicted, sure, true = _images(rng, count)
        return np.where(true > 260, true + 3 * (predicted - true), predicted), sure, true

    covered, pooled = [], []
    for _ in range(40):
        held_out = conformal.scores(*images(300))
        predicted, sure, true = images(300)
        late = predicted > 258.36
        for known, found in ((held_out, covered), (conformal.IntervalScores(conformal.SCALE, held_out.scores), pooled)):
            widths = [conformal.half_width(known, *one) for one in zip(predicted[late], sure[late], strict=True)]
            found.append((np.abs(predicted - true)[late] <= widths).mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)
    assert np.mean(pooled) < 0.85


def test_few_heads_of_a_trimester_are_judged_by_all():
    scores = tuple(np.arange(1.0, 51.0))
    hc_mm = (300.0,) * 19 + (150.0,) * 31
    known = conformal.IntervalScores(conformal.SCALE, scores, hc_mm)
    assert known.alike(320.0) == scores
    assert known.alike(200.0) == scores[19:]
    assert known.alike(50.0) == scores


def test_no_image_is_judged_by_itself_or_by_its_examination():
    """An error far above all others widens every interval but those of its own part."""
    rng = np.random.default_rng(2)
    predicted, sure, true = _images(rng, 100)
    groups = [f"{index // 2:03d}" for index in range(100)]
    before = conformal.cross_widths(predicted, sure, true, groups)
    true[10] = predicted[10] + 1000
    true[11] = predicted[11] + 1000
    after = conformal.cross_widths(predicted, sure, true, groups)
    assert after[10] == before[10]
    assert after[11] == before[11]
    assert (after >= before).all()
    assert (after > before).sum() > 40


def test_cross_fitted_coverage_is_near_the_level():
    rng = np.random.default_rng(3)
    predicted, sure, true = _images(rng, 2000)
    widths = conformal.cross_widths(predicted, sure, true, [str(index) for index in range(2000)])
    assert (np.abs(predicted - true) <= widths).mean() == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_what_is_no_circumference_is_refused(value):
    with pytest.raises(ValueError, match="positive"):
        conformal.scores([100.0, value], [0.9, 0.9], [100.0, 100.0])


@given(st.integers(0, 2**32 - 1), st.integers(conformal.FEWEST, 300))
def test_a_tenth_of_the_held_out_heads_is_to_be_looked_at_those_of_the_largest_scale(seed, count):
    rng = np.random.default_rng(seed)
    predicted, confidence = rng.uniform(60, 350, count), rng.uniform(0.5, 1, count)
    held_out = conformal.scores(predicted, confidence, predicted + rng.normal(0, 3, count))
    looked_at = [conformal.is_large_error_likely(held_out, *head) for head in zip(predicted, confidence, strict=True)]
    scales = conformal.scale(predicted, confidence)
    assert 0 < sum(looked_at) <= count / 10 + 1
    assert min(scales[looked_at]) > max(scales[np.logical_not(looked_at)])


def test_few_heads_or_another_scale_tell_no_large_errors():
    few = conformal.scores([175.0] * 19, [0.9] * 19, [170.0] * 19)
    assert few.review_above is None
    assert not conformal.is_large_error_likely(few, 300.0, 0.5)
    other = conformal.IntervalScores("as it was", (1.0,) * 20, (175.0,) * 20, 0.1)
    assert not conformal.is_large_error_likely(other, 300.0, 0.5)
