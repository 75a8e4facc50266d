import math
import time

import numpy as np
import pytest

from fetal_seg.statistics import bootstrap_mean_interval, describe


def _clustered(rng: np.random.Generator, clusters: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Skewed values around 3 whose clusters of 1 to 4 images differ more than the images within."""
    sizes = rng.choice([1, 2, 3, 4], clusters, p=[0.5, 0.3, 0.1, 0.1])
    groups = np.repeat(np.arange(clusters), sizes)
    return rng.gamma(4, 0.5, clusters)[groups] + rng.normal(1, 0.2, len(groups)), groups


def test_the_interval_holds_the_mean_at_about_its_rate():
    rng = np.random.default_rng(0)
    hits, naive_hits, trials = 0, 0, 300
    for _ in range(trials):
        values, groups = _clustered(rng)
        low, high = bootstrap_mean_interval(values, groups, resamples=999)
        hits += low <= 3 <= high
        low, high = bootstrap_mean_interval(values, np.arange(len(values)), resamples=999)
        naive_hits += low <= 3 <= high
    assert 0.90 <= hits / trials <= 0.98
    assert naive_hits < hits - 0.03 * trials  # images of one examination are no independent evidence


def test_the_interval_of_independent_values_is_that_of_the_normal_theory():
    values = np.random.default_rng(0).normal(5, 2, 400)
    half = 1.96 * values.std(ddof=1) / math.sqrt(400)
    low, high = bootstrap_mean_interval(values, np.arange(400))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_a_higher_level_gives_a_wider_interval():
    values, groups = _clustered(np.random.default_rng(0))
    narrow, wide = (bootstrap_mean_interval(values, groups, level=level) for level in (0.8, 0.99))
    assert wide[0] < narrow[0] < values.mean() < narrow[1] < wide[1]


def test_the_interval_is_a_function_of_the_seed_and_not_of_the_order_or_the_labels():
    values, groups = _clustered(np.random.default_rng(0))
    interval = bootstrap_mean_interval(values, groups, seed=3)
    assert bootstrap_mean_interval(values, groups, seed=3) == interval
    assert bootstrap_mean_interval(values, groups, seed=4) != interval
    order = np.random.default_rng(1).permutation(len(values))
    assert bootstrap_mean_interval(values[order], groups[order], seed=3) == pytest.approx(interval)
    labels = np.array([f"{group:03d}" for group in groups])
    assert bootstrap_mean_interval(values, labels, seed=3) == interval


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        ([2.5], ["a"]),
        ([1.0, 4.0, 2.5], ["a", "a", "a"]),
        ([2.5, 2.5, 2.5], ["a", "b", "c"]),
        ([1.0, 4.0, 2.5], ["a", "a", "b"]),
        ([0.1, 0.3, 0.2, 0.1 + 0.1], ["a", "a", "b", "c"]),
    ],
    ids=["one image", "one examination", "constant", "equal examinations", "equal but for rounding"],
)
def test_where_examinations_do_not_vary_the_interval_is_the_mean(values, groups):
    assert bootstrap_mean_interval(values, groups) == pytest.approx((np.mean(values), np.mean(values)), abs=0)


@pytest.mark.parametrize("seed", range(20))
def test_few_or_lopsided_examinations_still_give_an_interval(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, rng.integers(2, 6), rng.integers(2, 40))
    values = rng.standard_cauchy(len(groups)) if seed % 2 else (rng.random(len(groups)) < 0.1).astype(float)
    low, high = bootstrap_mean_interval(values, groups, resamples=999)
    assert values.min() <= low <= high <= values.max()


@pytest.mark.parametrize(
    ("values", "groups"),
    [([1.0, math.nan], [0, 1]), ([1.0, math.inf], [0, 1]), ([], []), ([1.0, 2.0], [0]), ([[1.0]], [[0]])],
)
@pytest.mark.parametrize("function", [bootstrap_mean_interval, describe])
def test_values_that_have_no_mean_are_refused(function, values, groups):
    with pytest.raises(ValueError, match="finite|groups"):
        function(values, groups)


def test_description():
    described = describe([1.0, 2.0, 6.0, 7.0], ["a", "b", "c", "c"])
    assert (described["mean"], described["median"]) == (4.0, 4.0)
    assert described["sd"] == pytest.approx(math.sqrt(26 / 3))
    low, high = described["ci95"]
    assert 1 <= low < 4 < high <= 7
    assert all(type(value) is float for value in (described["mean"], described["sd"], described["median"], low, high))


def test_one_image_has_no_spread():
    assert describe([3.0], ["a"]) == {"mean": 3.0, "sd": 0.0, "median": 3.0, "ci95": [3.0, 3.0]}


def test_two_hundred_images_take_well_below_a_second():
    values, groups = _clustered(np.random.default_rng(0), clusters=110)
    describe(values, groups)  # imports
    start = time.process_time()
    describe(values, groups)
    assert time.process_time() - start < 0.3
