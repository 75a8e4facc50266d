import itertools

import numpy as np
import pytest

from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.effects import main_effect
from fetal_seg.evaluation.metrics import ADF, ELLIPSE_DICE
from tests.run_folders import scores

KEYS = ("model", "lr")


def grid(means, **keys):
    """Contenders by (model, lr)."""
    made = [average_repeats(str(seed), [scores(mean, seed=seed, **keys)]) for seed, mean in enumerate(means.values())]
    return list(means), made


def test_marginal_means_of_a_full_grid():
    means = {("a", "1"): 0.90, ("a", "2"): 0.92, ("b", "1"): 0.94, ("b", "2"): 0.96}
    effect = main_effect(KEYS, "model", *grid(means), ELLIPSE_DICE)
    assert (effect.blocks, effect.images, effect.dropped) == (2, 24, ())
    assert [(each.level, round(each.mean, 6)) for each in effect.levels] == [("a", 91.0), ("b", 95.0)]
    assert all(each.low < each.mean < each.high for each in effect.levels)
    levels, values = zip(*sorted(effect.contenders), strict=True)
    assert levels == ("a", "a", "b", "b")
    assert values == pytest.approx([90, 92, 94, 96])


def test_only_complete_blocks_count():
    # b was run at the good rate alone: taken as they are, the means would be 0.85 and 0.94
    means = {("a", "1"): 0.75, ("a", "2"): 0.95, ("b", "2"): 0.94}
    effect = main_effect(KEYS, "model", *grid(means), ELLIPSE_DICE)
    assert effect.blocks == 1
    assert [(each.level, round(each.mean, 6)) for each in effect.levels] == [("a", 95.0), ("b", 94.0)]
    rate = main_effect(KEYS, "lr", *grid(means), ELLIPSE_DICE)
    assert [(each.level, round(each.mean, 6)) for each in rate.levels] == [("1", 75.0), ("2", 95.0)]  # of model a


def test_no_complete_block_is_said():
    effect = main_effect(KEYS, "model", *grid({("a", "1"): 0.9, ("b", "2"): 0.95}), ELLIPSE_DICE)
    assert (effect.levels, effect.blocks, effect.dropped) == ((), 0, ("a", "b"))
    assert len(effect.contenders) == 2


def test_a_level_that_shares_no_block_is_left_out_alone():
    means = {("a", "1"): 0.9, ("b", "1"): 0.92, ("a", "2"): 0.9, ("b", "2"): 0.94, ("c", "3"): 0.99}
    effect = main_effect(KEYS, "model", *grid(means), ELLIPSE_DICE)
    assert [each.level for each in effect.levels] == ["a", "b"]
    assert (effect.dropped, effect.blocks) == (("c",), 2)


def test_a_setting_that_some_do_not_have_is_compared_among_those_that_do():
    means = {("a", "1"): 0.9, ("a", "2"): 0.92, ("b", None): 0.99}
    effect = main_effect(KEYS, "lr", *grid(means), ELLIPSE_DICE)
    assert [each.level for each in effect.levels] == ["1", "2"]
    assert len(effect.contenders) == 2


def test_the_interval_leaves_out_what_all_levels_share():
    rows = scores(0.9, spread=0.05)  # images differ much, levels always by 0.02 of Dice
    shifted = [row | {"ellipse_dice": row["ellipse_dice"] + 0.02} for row in rows]
    made = [average_repeats("1", [rows]), average_repeats("2", [shifted])]
    low, high = main_effect(("lr",), "lr", [("1",), ("2",)], made, ELLIPSE_DICE).levels
    assert high.mean - low.mean == pytest.approx(2)
    assert high.high - high.low < 1e-6


def test_circumference_errors_are_of_images_in_which_all_found_a_head():
    means = dict.fromkeys(itertools.product("ab", "12"), 0.9)
    settings, made = grid(means)
    made[0] = average_repeats("0", [scores(0.9, missed=(0, 1, 2))])
    effect = main_effect(KEYS, "model", settings, made, ADF)
    assert (effect.images, effect.blocks) == (21, 2)


def test_a_contender_that_hardly_found_a_head_does_not_decide_what_is_measured():
    means = {("a", "1"): 0.90, ("a", "2"): 0.92, ("b", "1"): 0.94, ("b", "2"): 0.96}
    settings, made = grid(means)
    made[3] = average_repeats("3", [scores(0.9, missed=range(23))])
    effect = main_effect(KEYS, "model", settings, made, ADF)
    assert (effect.images, effect.blocks) == (24, 1)
    assert [round(each.mean, 6) for each in effect.levels] == [10.0, 6.0]
    dice = main_effect(KEYS, "model", settings, made, ELLIPSE_DICE)
    assert [round(each.mean, 6) for each in dice.levels] == [90.0, 94.0]  # nor is its near 0 in any mean
    assert min(value for _, value in dice.contenders) < 5  # but it is shown


def test_levels_are_in_their_natural_order():
    means = {("a", str(rate)): 0.9 + rate / 1000 for rate in (10, 9, 0.5)}
    effect = main_effect(KEYS, "lr", *grid(means), ELLIPSE_DICE)
    assert [each.level for each in effect.levels] == ["0.5", "9", "10"]
    assert np.argsort([each.mean for each in effect.levels]).tolist() == [0, 1, 2]
