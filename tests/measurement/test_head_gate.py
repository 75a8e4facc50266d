"""What a gate makes of an encoder's features, against the same computed cell by cell."""

import numpy as np
import pytest

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement.head_gate import POOLING, HeadGate, at_strides, pool, sigmoid
from fetal_seg.measurement.quality import Limits

HEIGHT, WIDTH = 64, 96
HEAD = Ellipse(50, 30, 22, 16, 0.4).rasterise(HEIGHT, WIDTH)
LIMITS = Limits(review_below=0.8, reject_below=0.3)


def levels(rng, channels=(3, 2)):
    shapes = ((channels[0], HEIGHT // 8, WIDTH // 8), (channels[1], HEIGHT // 16, WIDTH // 16))
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def test_means_and_deviations_are_weighted_by_what_is_covered_of_each_cell():
    found = pool(levels(np.random.default_rng(0))[:1], HEAD)
    (level,) = levels(np.random.default_rng(0))[:1]
    share = HEAD.reshape(HEIGHT // 8, 8, WIDTH // 8, 8).mean(axis=(1, 3))
    inside = [np.average(channel, weights=share) for channel in level]
    deviation = [
        np.sqrt(np.average((channel - mean) ** 2, weights=share)) for channel, mean in zip(level, inside, strict=True)
    ]
    np.testing.assert_allclose(found[:3], inside, rtol=1e-4)
    np.testing.assert_allclose(found[-3:], deviation, rtol=1e-3)
    assert len(found) == 4 * 3


def test_what_is_far_away_does_not_count():
    near = levels(np.random.default_rng(0))
    changed = [level.copy() for level in near]
    for level in changed:
        level[:, :, :1] += 100  # the left border, more than the edge's reach from the head
    np.testing.assert_allclose(pool(near, HEAD), pool(changed, HEAD))


def test_only_levels_between_an_eighth_and_a_thirty_second_count():
    assert at_strides([384, 192, 96, 48, 24, 12, 6], 384) == [3, 4, 5]
    assert at_strides([145, 73, 37, 19, 10], 288) == [2, 3, 4]  # of a padded image of 289
    assert at_strides([384], 384) == []


def test_a_probability_is_that_of_the_log_odds():
    features = levels(np.random.default_rng(1))
    weights = np.random.default_rng(2).normal(size=20)
    gate = HeadGate(POOLING, tuple(weights.tolist()), 0.5, LIMITS, heads=9, others=9)
    odds = pool(features, HEAD) @ weights + 0.5
    assert gate.probability(features, HEAD) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_features_of_another_kind_say_nothing():
    features = levels(np.random.default_rng(1))
    assert HeadGate("another way", (1.0,) * 20, 0.0, LIMITS, 9, 9).probability(features, HEAD) is None
    assert HeadGate(POOLING, (1.0,) * 7, 0.0, LIMITS, 9, 9).probability(features, HEAD) is None
    assert HeadGate(POOLING, (1.0,) * 7, 0.0, LIMITS, 9, 9).probability([], HEAD) is None


def test_a_gate_survives_its_file():
    gate = HeadGate(POOLING, (0.25, -1.5), 0.5, LIMITS, heads=9, others=7, images=("a", "b"))
    assert HeadGate.from_dict(gate.to_dict()) == gate


def test_odds_of_any_size_are_probabilities():
    np.testing.assert_allclose(
        sigmoid(np.array([-1e4, -2.0, 0.0, 2.0, 1e4])), [0, 0.1192029, 0.5, 0.8807971, 1], rtol=1e-6
    )


def test_a_region_of_a_few_pixels_has_features():
    dot = np.zeros((HEIGHT, WIDTH), np.uint8)
    dot[30, 40] = 1
    assert np.isfinite(pool(levels(np.random.default_rng(0)), dot)).all()
