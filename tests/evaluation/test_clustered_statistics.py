import itertools
import math
import time

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_seg.evaluation.clustered_statistics import bootstrap_mean_interval, describe, holm, paired_difference


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


def differences(rng, examinations, shift=0.0, *, skewed=False, within=0.3):
    """Differences of images that resemble each other within an examination: values and groups."""
    sizes = rng.integers(1, 4, examinations)
    groups = np.repeat(np.arange(examinations), sizes)
    own = rng.exponential(1.0, examinations) - 1.0 if skewed else rng.normal(0, 1, examinations)
    return shift + own[groups] + rng.normal(0, within, len(groups)), groups


def by_sign_flips(means):
    """Two-sided p of the signed-rank sum, over all ways to choose the signs of what is not zero."""
    means = [mean for mean in means if mean]
    below = [sum(abs(other) < abs(mean) for other in means) for mean in means]
    ranks = [less + (sum(abs(o) == abs(m) for o in means) + 1) / 2 for less, m in zip(below, means, strict=True)]
    found = abs(sum(math.copysign(rank, mean) for rank, mean in zip(ranks, means, strict=True)))
    sums = [abs(np.dot(signs, ranks)) for signs in itertools.product((-1, 1), repeat=len(ranks))]
    return np.mean([total >= found for total in sums])


def rejected(p_values, level=0.05):
    return np.mean(np.asarray(p_values) < level)


def test_intervals_cover_at_nearly_their_rate():
    """Skewed differences, correlated within 60 examinations: 93 % of the 95 % intervals hold the true mean.

    The rate is that of 6000 others (0.928, standard error 0.003); three standard deviations of 600 are 0.032.
    By image, as if independent, it is far below.
    """
    rng = np.random.default_rng(0)
    covered, by_image = [], []
    for _ in range(600):
        values, groups = differences(rng, 60, 0.2, skewed=True)
        found = paired_difference(values, np.zeros_like(values), groups, resamples=499)
        covered.append(found.low <= 0.2 <= found.high)
        by_image.append(abs(values.mean() - 0.2) <= 1.96 * values.std(ddof=1) / math.sqrt(len(values)))
    assert 0.896 <= np.mean(covered) <= 0.96
    assert np.mean(by_image) < 0.85


def test_the_test_holds_its_level_where_images_as_units_would_not():
    """Nothing differs: 5 % of tests by examination are below 0.05; by image, as if independent, twice as many."""
    rng = np.random.default_rng(1)
    by_examination, by_image = [], []
    for _ in range(600):
        values, groups = differences(rng, 40)
        by_examination.append(paired_difference(values, np.zeros_like(values), groups, resamples=99).p)
        by_image.append(scipy.stats.wilcoxon(values).pvalue)
    assert 0.023 <= rejected(by_examination) <= 0.077  # three standard deviations about 0.05
    assert rejected(by_image) > 0.09


def test_the_test_holds_its_level_where_few_examinations_differ():
    """At most 5 % of tests by chance, where the scores of 5 of 60 examinations differ: a normal approximation has 6 %.

    Over all 2⁵ signs, which are equally likely if neither model is better; so for 1 to 6 that differ.
    """
    for count in range(1, 7):
        p_values = []
        for signs in itertools.product((-1, 1), repeat=count):
            values = np.zeros(60)
            values[:count] = np.multiply(signs, np.arange(1, count + 1))
            p_values.append(paired_difference(values, np.zeros(60), np.arange(60), resamples=9).p)
        assert np.mean(np.asarray(p_values) <= 0.05) <= 0.05


@settings(max_examples=50)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=10), st.integers(0, 30))
def test_p_is_exact_for_few_with_ties_however_many_do_not_differ(means, zeros):
    values = np.array(means + [0] * zeros, np.float64)
    found = paired_difference(values, np.zeros_like(values), np.arange(len(values)), resamples=9)
    assert found.p == pytest.approx(by_sign_flips(means))


def test_examinations_weigh_the_same_in_the_test_and_by_their_images_in_the_mean():
    a, groups = [3.0, 3.0, 3.0, 1.0, -2.0, -4.0], ["x", "x", "x", "y", "z", "z"]
    found = paired_difference(a, np.zeros(6), groups)
    assert found.mean == pytest.approx(4 / 6)
    assert found.p == pytest.approx(by_sign_flips([3.0, 1.0, -3.0]))
    assert (found.low, found.high) == bootstrap_mean_interval(a, groups)


def test_a_clear_difference_is_found_and_turned_round():
    rng = np.random.default_rng(2)
    b, groups = differences(rng, 80)
    a = b + 0.5 + rng.normal(0, 0.4, len(b))
    found, turned = paired_difference(a, b, groups), paired_difference(b, a, groups)
    assert found.mean == pytest.approx(np.mean(a - b))
    assert found.low > 0
    assert found.p < 1e-6
    assert (turned.mean, turned.p) == (pytest.approx(-found.mean), pytest.approx(found.p))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=0.02)
    assert (found.images, found.examinations) == (len(b), 80)


def test_nothing_differs():
    same = paired_difference([0.9, 0.8, 0.7], [0.9, 0.8, 0.7], ["a", "a", "b"])
    assert (same.mean, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert paired_difference([1.0, 2.0], [0.0, 0.0], ["a", "a"]).p == 1  # one examination tells nothing
    rounded = paired_difference([0.1 + 0.2] * 9, [0.3] * 9, np.arange(9))
    assert (rounded.mean, rounded.p) == (pytest.approx(0), 1)


@pytest.mark.parametrize(
    ("a", "b", "groups"),
    [
        ([1.0], [1.0, 2.0], ["a", "b"]),
        ([1.0, 2.0], [1.0], ["a", "b"]),
        ([1.0, 2.0], [1.0, 2.0], ["a"]),
        ([], [], []),
        ([[1.0]], [[2.0]], [["a"]]),
        ([1.0, math.inf], [1.0, math.inf], ["a", "b"]),
        ([1.0, 2.0], [math.nan, 2.0], ["a", "b"]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_paired_is_refused(a, b, groups):
    with pytest.raises(ValueError, match="not finite|both must be"):
        paired_difference(a, b, groups)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_the_step_down_procedure(p_values):
    """At every level it rejects what Holm's procedure rejects, done step by step."""
    corrected = holm(p_values)
    assert len(corrected) == len(p_values)
    assert all(one <= other <= 1 for one, other in zip(p_values, corrected, strict=True))
    for level in (0.01, 0.05, 0.3, 0.9):
        rejected_by_hand = set()
        for step, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
            if p_values[index] * (len(p_values) - step) > level:
                break
            rejected_by_hand.add(index)
        assert {index for index, p in enumerate(corrected) if p <= level} == rejected_by_hand


def test_holm_of_an_example_and_of_nothing():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == pytest.approx([1, 1])
    assert holm([]).shape == (0,)


def test_holm_keeps_the_chance_of_any_false_finding():
    """Ten true hypotheses beside five false ones: any of the ten is rejected in at most 5 % of the studies."""
    rng = np.random.default_rng(3)
    true, false = rng.uniform(size=(4000, 10)), rng.beta(0.1, 8, size=(4000, 5))
    corrected = np.array([holm(row) for row in np.hstack([true, false])])
    raw = (np.hstack([true, false])[:, :10] < 0.05).any(axis=1).mean()
    assert (corrected[:, :10] < 0.05).any(axis=1).mean() <= 0.06
    assert raw > 0.3
    assert (corrected[:, 10:] < 0.05).mean() > 0.5


def test_holm_refuses_what_is_no_p_value():
    for p_values in ([0.2, 1.5], [-0.1], [math.nan], 0.5, [[0.1, 0.2]]):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            holm(p_values)
