"""What all figures share: colours, frame, legend."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fetal_seg.files import whole_file

# Colours that remain apart for the colour-blind (M. Okabe and K. Ito, Color universal design, 2008)
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#6E6E6E"


def series(rows: Sequence[dict[str, str]], column: str) -> tuple[list[float], list[float]]:
    """Epochs and values of a column, without the epochs whose cell is empty or not finite."""
    pairs = [(float(row["epoch"]), float(row.get(column) or math.nan)) for row in rows]
    finite = [pair for pair in pairs if math.isfinite(pair[1])]
    return [epoch for epoch, _ in finite], [value for _, value in finite]


def minus(text: str) -> str:
    """Text with true minus signs."""
    return text.replace("-", "−")  # as on the axes


def finish(axes: Axes, legend_size: float = 9) -> None:
    """The same frame, grid and legend for every plot."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=legend_size)


def save(figure: Figure, output: Path) -> Figure:
    """Write a figure, whole or not at all, and return it."""
    with whole_file(output) as temporary:
        figure.savefig(temporary, dpi=120)
    return figure
