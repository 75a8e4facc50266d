"""The growth chart: head circumferences at a known age, on the centiles of INTERGROWTH-21st."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MultipleLocator

from fetal_seg.measurement.biometry import SIZE_LIMITS_WEEKS, age_text, centile, hc_at_centile, z_score
from fetal_seg.report.style import BLUE, GREY, RED, finish, minus, save

CENTILES = {3: "3rd", 10: "10th", 50: "50th", 90: "90th", 97: "97th"}
CENTILE_DASHES = {3: ":", 10: "--", 50: "-", 90: "--", 97: ":"}
# Every chart has the same axes, so that charts can be compared
WEEKS, HC_MM = (11.0, 42.0), (40.0, 400.0)
MOST_LISTED = 6  # the list of more would cover the curves
SOURCE = "Centiles: INTERGROWTH-21st, Lancet 2014;384:869. For research use, not a medical device."
WHITE_EDGE = [withStroke(linewidth=3, foreground="white")]  # keeps text legible over curves and points


@dataclass(frozen=True)
class ChartPoint:
    """A circumference at an age from elsewhere."""

    weeks: float
    hc_mm: float

    @cached_property
    def z(self) -> float | None:
        """Its z-score, None where the standard does not hold. Raises as ``biometry.z_score`` does."""
        return z_score(self.hc_mm, self.weeks)

    @property
    def position(self) -> tuple[float, float]:
        """Where it is drawn, weeks and mm: itself, or the edge of the axes that it is beyond."""
        return float(np.clip(self.weeks, *WEEKS)), float(np.clip(self.hc_mm, *HC_MM))

    @property
    def is_beyond(self) -> bool:
        """Whether it is beyond the axes."""
        return self.position != (self.weeks, self.hc_mm)

    @property
    def text(self) -> str:
        """``181.2 mm at 21 w 3 d, z +0.42, centile 66``."""
        words = f"{self.hc_mm:.1f} mm at {age_text(self.weeks)}"
        if self.z is None:
            return f"{words}, age out of range"
        return f"{words}, z {minus(f'{self.z:+.2f}')}, {centile_text(centile(self.z))}"


def centile_text(percent: float) -> str:
    """``centile 66``, and ``below centile 1`` or ``above centile 99`` at the ends."""
    if percent < 1:
        return "below centile 1"
    return "above centile 99" if percent > 99 else f"centile {percent:.0f}"


def draw_growth_chart(measurements: Sequence[tuple[float, float]], path: Path) -> Figure:
    """Head circumference for gestational age with the centiles of its standard; returns what it wrote.

    Up to six measurements are listed with z-score and centile; of more, the points alone are drawn. Those whose age is
    out of the standard's range are hollow, those beyond the axes are drawn at their edge, and notes count both.

    Args:
        measurements: gestational age in exact weeks, from elsewhere, and circumference in mm.

    Raises:
        ValueError: a circumference is not a positive number, or an age is none.
    """
    points = [ChartPoint(*pair) for pair in measurements]
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots()
    _draw_centiles(axes)
    _draw_points(axes, points)
    count = f" (n = {len(points)})" if len(points) > 1 else ""
    axes.set_title(f"Head circumference for gestational age{count}")
    axes.set(xlim=WEEKS, ylim=HC_MM, ylabel="head circumference, mm")
    axes.set_xlabel("\n".join(["gestational age, weeks", *_notes(points)]))
    axes.xaxis.set_major_locator(MultipleLocator(2))
    axes.yaxis.set_major_locator(MultipleLocator(50))
    figure.supxlabel(SOURCE, fontsize=8, color=GREY)
    finish(axes)
    return save(figure, path)


def _draw_centiles(axes: Axes) -> None:
    """The curves where the standard holds, each with its name at its end."""
    weeks = np.linspace(*SIZE_LIMITS_WEEKS, 261)
    curves = {key: hc_at_centile(weeks, key) for key in CENTILES}
    for low, high in ((3, 97), (10, 90)):
        axes.fill_between(weeks, curves[low], curves[high], color=BLUE, alpha=0.1, linewidth=0)
    for key, values in curves.items():
        axes.plot(weeks, values, color=BLUE, linestyle=CENTILE_DASHES[key], linewidth=2 if key == 50 else 1.2)
        x, y = weeks[-1] + 0.2, values[-1]
        axes.text(x, y, CENTILES[key], color=BLUE, fontsize=9, va="center", path_effects=WHITE_EDGE, zorder=2.5)


def _draw_points(axes: Axes, points: Sequence[ChartPoint]) -> None:
    """One measurement with its label, few with their numbers in a list, many as points alone."""
    few = len(points) <= MOST_LISTED
    for hollow, fill, edge in ((False, RED, "white"), (True, "none", RED)):
        x, y = np.array([point.position for point in points if (point.z is None) is hollow]).reshape(-1, 2).T
        axes.scatter(x, y, s=64 if few else 24, c=fill, edgecolors=edge, linewidths=0.9, clip_on=False, zorder=3)
    if len(points) == 1:
        _label(axes, points[0])
    elif few:
        _list(axes, points)


def _label(axes: Axes, point: ChartPoint) -> None:
    """The text of a measurement, clear of the curves: to the left above them, or to the right below them."""
    weeks, hc_mm = point.position
    above = weeks > SIZE_LIMITS_WEEKS[1] if point.z is None else point.z > 0
    x = max(weeks - 2, WEEKS[0] + 7) if above else min(weeks + 2, WEEKS[1] - 7)  # the text is 6 weeks wide
    curve = float(hc_at_centile(np.clip(x, *SIZE_LIMITS_WEEKS), 97 if above else 3))
    y = min(max(hc_mm, curve) + 30, HC_MM[1] - 15) if above else max(min(hc_mm, curve) - 30, HC_MM[0] + 15)
    line = {"arrowstyle": "-", "color": RED, "shrinkB": 4}
    text, side = point.text.replace(", ", "\n", 1), "right" if above else "left"
    axes.annotate(
        text, (weeks, hc_mm), (x, y), ha=side, va="center", arrowprops=line, path_effects=WHITE_EDGE, zorder=5
    )


def _list(axes: Axes, points: Sequence[ChartPoint]) -> None:
    """A number to the right below each point, clear of the curves, and what it stands for in the legend."""
    for number, point in enumerate(points, start=1):
        axes.plot([], [], color="black", linestyle="", marker=f"${number}$", markeredgewidth=0.4, label=point.text)
    taken: list[tuple[float, float]] = []
    for number, point in sorted(enumerate(points, start=1), key=lambda pair: pair[1].position[1], reverse=True):
        x, y = min(point.position[0] + 1.2, WEEKS[1] - 0.5), point.position[1] - 15
        y = min([y, *(other_y - 13 for other_x, other_y in taken if abs(other_x - x) < 0.8)])
        taken.append((x, y))
        line = {"arrowstyle": "-", "color": RED, "linewidth": 0.9, "shrinkA": 1, "shrinkB": 4}
        style: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold", "path_effects": WHITE_EDGE}
        axes.annotate(str(number), point.position, (x, y), arrowprops=line, zorder=5, **style)


def _notes(points: Sequence[ChartPoint]) -> list[str]:
    """What the list does not say: how many of many are within the curves, and which are drawn otherwise."""
    centiles = [centile(point.z) for point in points if point.z is not None]
    inside, hollow = sum(3 <= percent <= 97 for percent in centiles), len(points) - len(centiles)
    notes = []
    if centiles and len(points) > MOST_LISTED:
        notes.append(f"from the 3rd to the 97th centile: {inside} of {len(centiles)}")
    if hollow:
        low, high = SIZE_LIMITS_WEEKS
        notes.append(f"hollow: {hollow} at an age outside of {low:g} to {high:g} weeks, without a centile")
    if beyond := sum(point.is_beyond for point in points):
        notes.append(f"beyond the axes, drawn at their edge: {beyond}")
    return notes
