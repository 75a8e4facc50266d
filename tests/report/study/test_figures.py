import math

import numpy as np

from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.effects import main_effect
from fetal_seg.evaluation.metrics import ELLIPSE_DICE
from fetal_seg.report.study import figures
from tests.report.drawn import is_png
from tests.run_folders import scores

KEYS = ("model", "lr")


def curve(losses):
    return [{"epoch": str(epoch), "train/loss": str(loss), "val/loss": str(loss)} for epoch, loss in enumerate(losses)]


def test_limits_leave_out_what_is_far_off_unless_it_is_to_be_included():
    values = [*np.linspace(94, 96, 50), 0.0, math.nan, math.inf]
    assert figures.robust_limits(values) == (94, 96)
    assert figures.robust_limits(values, [90.0]) == (90, 96)
    assert figures.robust_limits([0.0, 1.0, 1.0, 1.0]) == (0, 1)
    assert figures.robust_limits([]) == (0, 0)


def test_a_run_that_diverged_does_not_squash_the_others(tmp_path):
    runs = [curve([1.0, 0.5 + 0.01 * place, 0.4]) for place in range(10)]
    runs += [curve([1.0, 1e9, 1e12]), curve([1.0, math.nan, math.nan])]
    figure = figures.draw_learning(runs, [("best", [3]), ("second", [4])], "loss", tmp_path / "a.png")
    assert all(axes.get_ylim()[1] < 2 for axes in figure.axes)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["best", "second"]
    assert figure.axes[0].get_title(loc="right") == "1 run partly beyond the axis"
    assert len(figure.axes[0].get_lines()) == 12
    assert is_png(tmp_path / "a.png")


def test_curves_of_runs_that_hardly_began(tmp_path):
    figures.draw_learning([[], curve([math.nan]), curve([0.5])], [("best", [0])], "loss", tmp_path / "a.png")
    assert is_png(tmp_path / "a.png")


def test_effects_are_a_panel_a_factor_with_every_contender(tmp_path):
    settings = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("c", "3")]
    made = [average_repeats(str(place), [scores(0.9 + 0.01 * place)]) for place in range(5)]
    effects = [main_effect(KEYS, key, settings, made, ELLIPSE_DICE) for key in KEYS]
    figure = figures.draw_effects(effects, tmp_path / "effects.png")
    model, rate = figure.axes
    assert [label.get_text() for label in model.get_yticklabels()] == ["a", "b", "c"]
    drawn = np.concatenate([np.asarray(dots.get_offsets()) for dots in model.collections])
    np.testing.assert_allclose(sorted(drawn[:, 0]), [90, 91, 92, 93, 94])
    assert (model.get_title(loc="left"), rate.get_xlabel()) == ("model", "ellipse Dice, %")
    assert is_png(tmp_path / "effects.png")


def test_a_key_of_very_many_values_is_an_axis(tmp_path):
    rates = [10 ** (-4 + place / 10) for place in range(30)]
    made = [average_repeats(str(place), [scores(0.9)]) for place in range(30)]
    effect = main_effect(("lr",), "lr", [(f"{rate:.6g}",) for rate in rates], made, ELLIPSE_DICE)
    assert len(effect.levels) == 30  # each run is a level of one block
    many = main_effect(KEYS, "lr", [(f"m{rate}", f"{rate:.6g}") for rate in rates], made, ELLIPSE_DICE)
    figure = figures.draw_effects([many], tmp_path / "effects.png")
    assert figure.axes[0].get_xscale() == "log"


def test_cost_shows_the_front_with_ranks_and_a_colour_for_each_kind(tmp_path):
    points = [
        figures.Priced("a", "unet", 96.0, 2e6),
        figures.Priced("b", "own", 95.5, 1e5),
        figures.Priced("c", "own", 95.0, 3e5),
    ]
    axes = figures.draw_cost(points, "parameters", tmp_path / "cost.png").axes[0]
    assert [text.get_text() for text in axes.texts] == ["2", "1"]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {"Pareto front", "unet", "own"}
    assert axes.get_xscale() == "log"
    assert is_png(tmp_path / "cost.png")
