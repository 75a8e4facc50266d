"""Learning curves of a run."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fetal_seg.files import read_csv
from fetal_seg.report.style import BLUE, GREY, ORANGE, finish, save, series


def draw_curves(metrics_csv: Path, output: Path) -> Figure:
    """Training and validation loss, and Dice, against epochs, from a run's ``metrics.csv``; returns what it wrote.

    The epoch of the best validation Dice is marked. Empty cells are left out of their curve.
    """
    rows = read_csv(metrics_csv)
    best = max(zip(*series(rows, "val/dice"), strict=True), key=lambda pair: pair[1], default=None)
    figure = Figure(figsize=(10, 4), layout="constrained")
    title = f"{len(rows)} epoch{'' if len(rows) == 1 else 's'}"
    figure.suptitle(title if best is None else f"{title}, best validation Dice {best[1]:.4f} in epoch {best[0]:.0f}")
    for axes, measure in zip(figure.subplots(1, 2), ("Loss", "Dice"), strict=True):
        for part, name, colour in (("train", "training", BLUE), ("val", "validation", ORANGE)):
            epochs, values = series(rows, f"{part}/{measure.lower()}")
            marker = "o" if len(epochs) <= 30 else None  # the dots of more epochs would run together
            axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, linewidth=1.6, label=name)
        if best is not None:
            axes.axvline(best[0], color=GREY, linestyle=":", linewidth=1.2, label="best epoch")
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, high - 1), max(high, low + 1))  # one epoch has no extent of its own
        axes.set(title=measure, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        finish(axes)
    return save(figure, output)
