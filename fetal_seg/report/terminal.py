"""What a command shows in the terminal when it ends."""

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from fetal_seg.evaluation.comparison import PairedComparison, p_text, signed
from fetal_seg.evaluation.contenders import Contender, ranked
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.evaluation.parity import Parity
from fetal_seg.evaluation.runs import Run
from fetal_seg.evaluation.summary import Summary
from fetal_seg.evaluation.tables import Row, finite_value
from fetal_seg.measurement.biometry import age_text
from fetal_seg.measurement.result import Flag
from fetal_seg.report.pictures import image_name

FLAG_STYLES = {Flag.OK: "green", Flag.CHECK: "yellow", Flag.NO_HEAD: "magenta", Flag.ERROR: "red"}
NONE = "–"


def summary_table(summary: Summary) -> Table:
    """The summary of an evaluation: a row a metric, then its mean in each trimester; overlaps in per cent."""
    parts = summary["by_trimester"].values()
    limits = " and ".join(f"{limit:g}" for limit in summary["trimester_limits_mm"])
    caption = f"trimesters 2 and 3 begin at a true HC of {limits} mm"
    if summary["interval"] is not None:
        caption += "; intervals are to hold 90 % of the true HC"
    table = _table(title=f"{summary['n']} images, {summary['missed']} missed", caption=caption)
    table.add_column("\nmeasure")
    for heading in ("\nmean", "95 %\ninterval", "\nSD", "\nmedian"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, part in summary["by_trimester"].items():
        table.add_column(f"tri. {name}\nn={part['n']}", justify="right", style="dim", no_wrap=True)
    for metric in METRICS:
        values, scale = summary[metric.column], metric.scale
        table.add_row(
            f"{metric.title} {metric.unit}",
            _rounded(values["mean"], scale),
            _interval(values["ci95"], scale),
            _rounded(values["sd"], scale),
            _rounded(values["median"], scale),
            *(_rounded(part[metric.column]["mean"], scale) for part in parts),
        )
    if (interval := summary["interval"]) is not None:
        by_trimester = [part["interval"] or {"coverage": None, "mean_width_mm": None} for part in parts]
        for title, key, scale, ends in (
            ("in interval %", "coverage", 100.0, _interval(interval["ci95"], 100.0)),
            ("its width mm", "mean_width_mm", 1.0, ""),
        ):
            means = [_rounded(part[key], scale) for part in by_trimester]
            table.add_row(title, _rounded(interval[key], scale), ends, "", "", *means)
    return table


def comparison_table(contenders: Sequence[Contender], comparisons: Sequence[PairedComparison]) -> Table:
    """The contenders, best first, each with its means and how far they are from the best's."""
    table = _table(title="compared image by image, best first")
    table.add_column("", overflow="fold")
    for heading in ("measure", "mean", "minus the\nbest's", "95 %\ninterval", "p\n(Holm)"):
        table.add_column(heading, justify="right", no_wrap=True)
    with_best = {(comparison.second, comparison.metric): comparison for comparison in comparisons}
    metrics = list(dict.fromkeys(comparison.metric for comparison in comparisons))
    for contender in ranked(contenders):
        for metric in metrics:
            mean, comparison = contender.mean(metric), with_best.get((contender.label, metric))
            cells = [NONE] * 3
            if comparison is not None and comparison.difference is not None:
                interval = f"{signed(-comparison.high)} to {signed(-comparison.low)}"
                cells = [signed(-comparison.difference), interval, p_text(comparison.p_holm).removeprefix("p = ")]
            label = contender.label if metric is metrics[0] else ""
            table.add_row(label, metric.heading, NONE if mean is None else signed(mean), *cells)
    return table


def failures_table(runs: Sequence[Run]) -> Table:
    """Jobs without a result: what they were to run, and why there is none."""
    table = Table(title="Jobs without a result", box=SIMPLE_HEAD, show_edge=False)
    for heading in ("job", "overrides", "status", "cause"):
        table.add_column(heading, overflow="fold")
    for run in runs:
        overrides = " ".join(f"{key}={value}" for key, value in run.overrides.items())
        table.add_row(run.name, overrides, run.status, run.cause or "")
    return table


def predictions_table(rows: Collection[Row], most: int = 20) -> Table:
    """A row an image, for a terminal of 80 columns and more; the flag in colour.

    Args:
        most: rows shown at most, the first ones; a line below tells how many more there are.
    """
    more = len(rows) - most
    table = _table(caption=f"and {more} more: see predictions.csv" if more > 0 else None)
    table.add_column("\nfile", overflow="fold", min_width=12)
    for heading in ("HC mm\n± 90 %", "BPD\nmm", "OFD\nmm", "CI\n%"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("\nGA", max_width=8)
    table.add_column("\nflag and reasons", overflow="fold", min_width=16)
    for row in islice(rows, most):
        style = FLAG_STYLES[row["flag"]]
        table.add_row(
            Text(image_name(row)),  # not markup: names may hold brackets
            *_lengths(row),
            _age(row),
            Text.assemble((row["flag"], style), f": {'; '.join(row['reasons'])}" if row.get("reasons") else ""),
        )
    return table


def _table(**options: Any) -> Table:
    return Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, **options)


def _interval(ends: Sequence[float | None], scale: float) -> str:
    return NONE if ends[0] is None else " to ".join(_rounded(end, scale) for end in ends)


def _rounded(value: float | None, scale: float) -> str:
    return NONE if value is None else f"{scale * value:.2f}"


def _lengths(row: Row) -> list[str]:
    """Circumference with half of its 90 % interval, BPD, OFD and cephalic index."""
    in_mm, low, high = (finite_value(row, column) for column in ("hc_mm", "hc_low_mm", "hc_high_mm"))
    in_px = finite_value(row, "hc_px")
    circumference = f"{in_mm:.1f}" if in_mm is not None else NONE if in_px is None else f"{in_px:.0f} px"
    if in_mm is not None and low is not None and high is not None:
        circumference += f" ±{max(in_mm - low, high - in_mm):.1f}"  # the lower half is cut at 0
    others = (finite_value(row, column) for column in ("bpd_mm", "ofd_mm", "cephalic_index"))
    return [circumference, *(NONE if value is None else f"{value:.1f}" for value in others)]


def _age(row: Row) -> str:
    weeks = row.get("ga_intergrowth_weeks")
    return age_text(weeks) if isinstance(weeks, int | float) else weeks or NONE


def parity_table(parity: Parity, name: str, precision: str) -> Table:
    """How far an export's measurements are from its checkpoint's: largest, and on average."""
    table = _table(title=f"{name}, {precision}, beside PyTorch in float32: {len(parity.pairs)} images")
    for heading in ("difference", "largest", "mean"):
        table.add_column(heading, justify="left" if heading == "difference" else "right")
    for title, values in (
        ("circumference %", parity.percent),
        ("circumference mm", parity.mm),
        ("ellipse Dice %", parity.dice and tuple(100 * value for value in parity.dice)),
    ):
        if values is not None:
            table.add_row(title, *(f"{value:.2g}" for value in values))
    table.add_row("images with another flag", str(parity.flags), "")
    reference, other = parity.milliseconds
    table.add_row("ms an image, PyTorch and this file", f"{reference:.1f}", f"{other:.1f}")
    return table
