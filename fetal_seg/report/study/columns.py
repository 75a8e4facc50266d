"""The columns of the tables on a report's page. To add one to the ranking: a line in `ranking_columns`."""

from collections.abc import Callable
from functools import partial

from fetal_seg.evaluation.comparison import PairedComparison, p_text, signed
from fetal_seg.evaluation.labels import short
from fetal_seg.evaluation.metrics import COMPARED, Metric
from fetal_seg.evaluation.study import Entry, Study
from fetal_seg.report.page import UNKNOWN, Cell, Column, number_cell


def ranking_columns(study: Study) -> list[Column[Entry]]:
    """The columns of the ranking: one for each setting in which runs differ, and what was measured."""
    settings = [
        Column(short(key, study.factors), partial(_setting, index=index)) for index, key in enumerate(study.factors)
    ]
    return [
        Column("rank", lambda entry: number_cell(entry.rank, "{:.0f}")),
        *(settings or [Column("run", lambda entry: Cell(entry.contender.label))]),
        *([Column("runs", lambda entry: number_cell(len(entry.runs), "{:.0f}"))] if study.has_repeats else []),
        *map(_mean_column, COMPARED),
        Column("missed", lambda entry: number_cell(entry.missed, "{:.3g}")),
        Column("parameters", lambda entry: number_cell(entry.cost.parameters if entry.cost else None, "{:,.0f}")),
        Column("ms an image", lambda entry: number_cell(entry.cost.milliseconds if entry.cost else None, "{:.1f}")),
        Column("epochs", lambda entry: number_cell(entry.epochs, "{:.3g}")),
        Column("minutes", lambda entry: number_cell(entry.minutes, "{:.1f}")),
    ]


def _setting(entry: Entry, index: int) -> Cell:
    """A setting; numbers are sorted as numbers."""
    value = entry.settings[index] or ""
    try:
        return Cell(value, float(value))
    except ValueError:
        return Cell(value)


def _mean_column(metric: Metric) -> Column[Entry]:
    def cell(entry: Entry) -> Cell:
        interval = entry.means.get(metric.column)
        return Cell(str(interval), interval.mean) if interval else UNKNOWN

    return Column(f"{metric.heading} [95 %]", cell)


def _compared_column(
    heading: str, number: Callable[[PairedComparison], float | None], text: Callable[[PairedComparison], str]
) -> Column[PairedComparison]:
    """A column that is empty where there is no image in common."""

    def cell(comparison: PairedComparison) -> Cell:
        return UNKNOWN if comparison.difference is None else Cell(text(comparison), number(comparison))

    return Column(heading, cell)


def _p(p: float) -> str:
    return p_text(p).removeprefix("p = ").removeprefix("p ")


COMPARISON_COLUMNS: tuple[Column[PairedComparison], ...] = (
    Column("the best against", lambda pair: Cell(pair.second)),
    Column("measure", lambda pair: Cell(pair.metric.title)),
    Column("the best is", lambda pair: Cell(pair.verdict)),
    _compared_column("best minus other", lambda pair: pair.difference, lambda pair: signed(pair.difference or 0.0)),
    _compared_column("95 % interval", lambda pair: pair.low, lambda pair: f"{signed(pair.low)} to {signed(pair.high)}"),
    _compared_column("p", lambda pair: pair.p, lambda pair: _p(pair.p)),
    _compared_column("p (Holm)", lambda pair: pair.p_holm, lambda pair: _p(pair.p_holm)),
)
