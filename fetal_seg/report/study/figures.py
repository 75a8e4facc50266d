"""Figures over many runs: main effects, learning curves, accuracy against cost.

All are 6.5 in wide with a large font, so that they can be read on a telephone.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill, shorten

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

from fetal_seg.evaluation.effects import Effect
from fetal_seg.evaluation.trade_offs import pareto_front
from fetal_seg.report.style import BLUE, GREEN, GREY, ORANGE, RED, finish, minus, save, series

WIDTH = 6.5  # in
LEADERS = (BLUE, RED, GREEN)  # of the best three
KINDS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (RED, "D"), ("#CC79A7", "v"), ("#56B4E9", "P"))
MANY_LEVELS = 10  # of numbers, above which an axis of numbers is clearer than a row for each

large_font = mpl.rc_context({"font.size": 12})


@dataclass(frozen=True)
class Priced:
    """A contender with what it costs; `kind` is what its colour tells, "" for nothing."""

    label: str
    kind: str
    dice: float  # %
    cost: float


@large_font
def draw_effects(effects: Sequence[Effect], output: Path) -> Figure:
    """Marginal means with intervals, a panel a factor, one level below the other; each contender is a faint dot.

    Dots far outside the others are drawn at the edge as arrows. Returns what it wrote.
    """
    heights = [_rows(effect) for effect in effects]
    figure = Figure(figsize=(WIDTH, 0.5 + sum(0.36 * rows + 0.55 for rows in heights)), layout="constrained")
    panels = figure.subplots(len(effects), 1, squeeze=False, height_ratios=[rows + 0.4 for rows in heights])
    bounds = [value for effect in effects for level in effect.levels for value in (level.low, level.high)]
    low, high = robust_limits([value for effect in effects for _, value in effect.contenders], bounds)
    for effect, axes in zip(effects, panels[:, 0], strict=True):
        if _is_continuous(effect):
            _draw_trend(axes, effect, low, high)
        else:
            _draw_levels(axes, effect, low, high)
        axes.set_title(effect.factor, loc="left", fontsize=12, fontweight="bold")
        finish(axes, 11)
    panels[-1, 0].set_xlabel(effects[-1].metric.heading if not _is_continuous(effects[-1]) else "value of the key")
    return save(figure, output)


@large_font
def draw_learning(
    runs: Sequence[Sequence[dict[str, str]]], leaders: Sequence[tuple[str, Sequence[int]]], measure: str, output: Path
) -> Figure:
    """Training and validation values of all runs against epochs, one below the other; returns what it wrote.

    Args:
        runs: the rows of each run's ``metrics.csv``.
        leaders: label and positions in `runs` of what is drawn in colour, three at most; the others are thin and grey.
        measure: ``loss`` or ``dice``; the highest curve at each axis' edge says where values are beyond it.
    """
    figure = Figure(figsize=(WIDTH, 6.4), layout=ConstrainedLayoutEngine(hspace=0.05))
    in_front = {position: rank for rank, (_, positions) in enumerate(leaders) for position in positions}
    for axes, (part, name) in zip(
        figure.subplots(2, 1, sharex=True), (("train", "training"), ("val", "validation")), strict=True
    ):
        curves = [series(rows, f"{part}/{measure}") for rows in runs]
        for position, (epochs, values) in enumerate(curves):
            if values and position not in in_front:
                axes.plot(epochs, values, color=GREY, alpha=0.35, linewidth=0.8, marker=_dot(epochs))
        for position, rank in in_front.items():
            epochs, values = curves[position]
            short = fill(shorten(leaders[rank][0], 96, placeholder=" …"), 48)  # longer, it would squeeze the axes
            label = short if position == leaders[rank][1][0] and part == "train" else None
            axes.plot(epochs, values, color=LEADERS[rank], linewidth=2, marker=_dot(epochs), label=label)
        _limit(axes, [values for _, values in curves], [curves[position][1] for position in in_front])
        axes.set_title(f"{name} {measure if measure == 'loss' else 'Dice'}", loc="left", fontsize=12)
        finish(axes, 11)
    axes.set_xlabel(axes.get_xlabel() or "epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return save(figure, output)


@large_font
def draw_cost(points: Sequence[Priced], name: str, output: Path, measure: str = "ellipse Dice, %") -> Figure:
    """Dice against a cost on a logarithmic axis, with the Pareto front, whose members have their rank beside them.

    Args:
        points: by falling Dice, so that a point's position is its rank.
        name: of the cost, with its unit.
        measure: what their Dice is of.
    """
    front = pareto_front([(point.cost, point.dice) for point in points])
    low, high = robust_limits([point.dice for point in points], [points[index].dice for index in front])
    kinds = list(dict.fromkeys(point.kind for point in points))
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.margins(x=0.08)
    steps = [points[index] for index in front]
    axes.plot(
        [point.cost for point in steps], [point.dice for point in steps],
        color="black", linewidth=1.2, drawstyle="steps-post", label="Pareto front", zorder=1,
    )  # fmt: skip
    for (colour, marker), kind in zip(itertools.cycle(KINDS), kinds, strict=False):
        alike = [point for point in points if point.kind == kind]
        values = [float(np.clip(point.dice, low, high)) for point in alike]
        axes.scatter(
            [point.cost for point in alike], values, s=36, c=colour, marker=marker, alpha=0.75, linewidths=0,
            label=kind or None, zorder=2,
        )  # fmt: skip
    for index in front:
        position = (points[index].cost, points[index].dice)
        axes.annotate(str(index + 1), position, (0, 6), textcoords="offset points", ha="center", fontsize=11)
    _plain_ticks(axes)
    axes.set(xlabel=name, ylabel=measure, ylim=_padded(low, high))
    if below := sum(point.dice < low for point in points):
        axes.set_xlabel(f"{name}\n{below} below the axis, drawn at its edge")
    finish(axes, 11)
    return save(figure, output)


def robust_limits(values: Sequence[float], included: Sequence[float] = ()) -> tuple[float, float]:
    """Ends of an axis: the values without those far beyond the quartiles, and whatever is to be included."""
    finite = np.array([value for value in values if math.isfinite(value)])
    if not len(finite):
        finite = np.array(list(included) or [0.0])
    lower, upper = np.percentile(finite, [25, 75])
    reach = 3 * (upper - lower) or abs(upper) or math.inf  # where half are equal, quartiles tell nothing
    inside = [*finite[(finite >= lower - reach) & (finite <= upper + reach)], *included]
    return float(min(inside)), float(max(inside))


def _draw_levels(axes: Axes, effect: Effect, low: float, high: float) -> None:
    names = list(dict.fromkeys([mean.level for mean in effect.levels] + list(effect.dropped)))
    names = names or sorted({level for level, _ in effect.contenders})
    rows = {name: -row for row, name in enumerate(names)}
    for name, row in rows.items():
        values = np.array([value for level, value in effect.contenders if level == name])
        spread = 0.24 * np.sin(2.4 * np.arange(len(values)))  # dots of equal values remain apart
        for marker, chosen in (("o", (values >= low) & (values <= high)), ("<", values < low), (">", values > high)):
            size = 16 if marker == "o" else 34
            x, y = np.clip(values[chosen], low, high), row + spread[chosen]
            axes.scatter(x, y, s=size, c=GREY, marker=marker, alpha=0.4, linewidths=0)
    for level in effect.levels:
        axes.plot([level.low, level.high], [rows[level.level]] * 2, color=BLUE, linewidth=3, solid_capstyle="butt")
        axes.plot(level.mean, rows[level.level], "D", color=BLUE, markersize=7, markeredgecolor="white")
    axes.set_yticks(list(rows.values()), [name if len(name) < 24 else f"{name[:22]}…" for name in rows])
    axes.set(xlim=_padded(low, high), ylim=(-len(names) + 0.4, 0.6))
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _draw_trend(axes: Axes, effect: Effect, low: float, high: float) -> None:
    """Each contender by the value of a key that has very many, as a search samples them."""
    pairs = [(float(level), float(np.clip(value, low, high))) for level, value in effect.contenders]
    levels = [level for level, _ in pairs]
    axes.scatter(levels, [value for _, value in pairs], s=22, c=GREY, alpha=0.6, linewidths=0)
    if min(levels) > 0 and max(levels) > 20 * min(levels):
        axes.set_xscale("log")
        _plain_ticks(axes)
    axes.set(ylabel=effect.metric.heading, ylim=_padded(low, high))


def _is_continuous(effect: Effect) -> bool:
    levels = {level for level, _ in effect.contenders}
    return len(levels) > MANY_LEVELS and not effect.levels and all(map(_is_number, levels))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _rows(effect: Effect) -> float:
    return 5.0 if _is_continuous(effect) else max(1, len({level for level, _ in effect.contenders}))


def _limit(axes: Axes, curves: Sequence[Sequence[float]], leaders: Sequence[Sequence[float]]) -> None:
    """Keep every run in sight whose lowest and highest values are not far from the others', as one's that diverged."""
    filled = [curve for curve in curves if curve]
    shown = [value for curve in leaders for value in curve]
    low, high = robust_limits(list(map(min, filled)), shown)[0], robust_limits(list(map(max, filled)), shown)[1]
    axes.set_ylim(*_padded(low, high))
    beyond = sum(any(value < low or value > high for value in curve) for curve in curves)
    if beyond:
        text = f"{beyond} run{'' if beyond == 1 else 's'} partly beyond the axis"
        axes.set_title(text, loc="right", fontsize=10, color=GREY)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low) or 0.01 * abs(high) or 1.0
    return low - room, high + room


def _dot(epochs: Sequence[float]) -> str | None:
    return "." if len(epochs) == 1 else None  # a line of one point is not seen


def _plain_ticks(axes: Axes) -> None:
    """Few ticks on a logarithmic axis, written out where they are short."""
    low, high = axes.get_xlim()
    if high < 100 * low:  # decades alone would leave one tick or none
        candidates = [digit * 10.0**power for power in range(-9, 10) for digit in (1, 1.5, 2, 3, 5, 7)]
        ticks = [tick for tick in candidates if low <= tick <= high]
        step = math.ceil(len(ticks) / 6) or 1
        axes.set_xticks(ticks[::step], [_compact(tick) for tick in ticks[::step]])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(low, high)
    elif high < 1e4:
        axes.xaxis.set_major_formatter(ScalarFormatter())


def _compact(value: float) -> str:
    for size, suffix in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{suffix}"
    return minus(f"{value:.3g}")
