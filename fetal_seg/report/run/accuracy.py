"""Figures of an evaluation.

Figures are made without pyplot, which keeps a list of them and is not safe in threads.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fetal_seg.evaluation.tables import Row, finite_value, is_missed, trimester_of
from fetal_seg.report.style import BLUE, GREEN, GREY, ORANGE, RED, finish, minus, save

TRIMESTERS = {1: ("first", BLUE, "o"), 2: ("second", ORANGE, "s"), 3: ("third", GREEN, "^")}


def draw_bland_altman(rows: Sequence[Row], output: Path) -> Figure:
    """Difference of the circumferences, predicted minus true, against their mean, mm; returns what it wrote.

    With the bias (mean difference) and the limits of agreement (bias ± 1.96 SD). Images without
    both circumferences are left out and counted in a note.
    Source: J. M. Bland and D. G. Altman, Lancet 1986;327:307.
    """
    measured = [row for row in rows if finite_value(row, "hc_true_mm") and finite_value(row, "hc_pred_mm")]
    true = np.array([row["hc_true_mm"] for row in measured])
    predicted = np.array([row["hc_pred_mm"] for row in measured])
    trimesters = np.array([trimester_of(row) for row in measured])
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color=GREY, linewidth=0.8)
    for key, (name, colour, marker) in TRIMESTERS.items():
        if (chosen := trimesters == key).any():
            x, y = (predicted[chosen] + true[chosen]) / 2, predicted[chosen] - true[chosen]
            label = f"{name} trimester (n = {chosen.sum()})"
            axes.scatter(x, y, s=26, c=colour, marker=marker, alpha=0.7, linewidths=0, label=label)
    for value, name, dash in _agreement(predicted - true):
        axes.axhline(value, color="black", linestyle=dash, linewidth=1.2)
        transform = axes.get_yaxis_transform()  # x in widths of the axes, y in mm
        axes.text(1.01, value, f"{name}\n{minus(f'{value:+.2f}')} mm", transform=transform, va="center", fontsize=9)
    axes.set(
        title=f"Agreement of the head circumference with the sonographer's (n = {len(measured)})",
        xlabel="\n".join(["mean of predicted and true circumference, mm", *_left_out(rows, len(measured))]),
        ylabel="predicted minus true, mm",
    )
    finish(axes)
    return save(figure, output)


def draw_errors(rows: Sequence[Row], output: Path) -> Figure:
    """Histograms of DF, mm, and of the ellipse's Dice, %, with mean and median; returns what it wrote.

    Missed heads have no DF. Their Dice of 0 counts in its mean and median, but stands in a note
    instead of being drawn, where it would squeeze the other bars together.
    """
    differences = np.array([value for row in rows if (value := finite_value(row, "df_mm")) is not None])
    dice = np.array([100 * (finite_value(row, "ellipse_dice") or 0.0) for row in rows])
    with_head = np.array([not is_missed(row) for row in rows], dtype=bool)
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axvline(0, color=GREY, linewidth=0.8)
    _mark_center(left, differences, "mm")
    notes = _left_out(rows, len(differences)) + _draw_bars(left, differences)
    left.set(title=f"Error of the head circumference (n = {len(differences)})")
    left.set_xlabel("\n".join(["DF: predicted minus true, mm", *notes]))
    _mark_center(right, dice, "%")
    notes = [] if with_head.all() else [f"not shown, but counted as 0: {(~with_head).sum()} missed"]
    notes += _draw_bars(right, dice[with_head])
    right.set(title=f"Dice of the fitted ellipse (n = {len(dice)})", xlabel="\n".join(["Dice, %", *notes]))
    for axes in (left, right):
        axes.set_ylabel("images")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        finish(axes)
    return save(figure, output)


def _agreement(differences: NDArray[np.floating]) -> list[tuple[float, str, str]]:
    """Bias and limits of agreement: value, name and line style; the limits need two differences."""
    if not len(differences):
        return []
    lines = [(float(differences.mean()), "bias", "-")]
    if len(differences) > 1:
        reach = 1.96 * float(differences.std(ddof=1))
        lines += [(lines[0][0] + reach, "+1.96 SD", "--"), (lines[0][0] - reach, "−1.96 SD", "--")]
    return lines


def _draw_bars(axes: Axes, values: NDArray[np.floating]) -> list[str]:
    """A histogram; values far beyond the quartiles go into its outermost bars, with a note."""
    if not len(values):
        return []
    lower, upper = np.percentile(values, [25, 75])
    reach = 8 * (upper - lower) or math.inf  # where half are equal, quartiles tell nothing
    low, high = max(lower - reach, values.min()), min(upper + reach, values.max())
    count = min(40, max(8, round(2 * math.sqrt(len(values)))))
    axes.hist(np.clip(values, low, high), count, color=BLUE, alpha=0.8, edgecolor="white", linewidth=0.5)
    beyond = int(((values < low) | (values > high)).sum())
    return [f"beyond the axis, in the outermost bars: {beyond}"] if beyond else []


def _mark_center(axes: Axes, values: NDArray[np.floating], unit: str) -> None:
    if len(values):
        mean, median = float(values.mean()), float(np.median(values))
        axes.axvline(mean, color=RED, linewidth=1.8, label=minus(f"mean {mean:.2f} {unit}"), zorder=3)
        axes.axvline(median, color="black", linestyle="--", label=minus(f"median {median:.2f} {unit}"), zorder=3)


def _left_out(rows: Sequence[Row], shown: int) -> list[str]:
    """A note on the images that have no circumference error, if any."""
    missed = sum(map(is_missed, rows))
    counts = {"missed": missed, "without pixel size": len(rows) - shown - missed}
    note = ", ".join(f"{count} {name}" for name, count in counts.items() if count > 0)
    return [f"not shown: {note}"] if note else []
