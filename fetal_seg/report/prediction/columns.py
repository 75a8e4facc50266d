"""The columns of the table on a prediction's page. To add one: a line in `PAGE_COLUMNS`."""

import math
from collections.abc import Callable

from fetal_seg.evaluation.tables import Row, finite_value
from fetal_seg.measurement.biometry import age_text
from fetal_seg.report.page import UNKNOWN, Cell, Column, number_cell


def _number(column: str, form: str) -> Callable[[Row], Cell]:
    return lambda row: number_cell(finite_value(row, column), form)


def _per_cent(column: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        part = finite_value(row, column)
        return number_cell(None if part is None else 100 * part, "{:.0f}")

    return cell


def _text(column: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(str(row.get(column) or ""))


def _age(column: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        weeks = row.get(column)
        return Cell(age_text(weeks), float(weeks)) if isinstance(weeks, int | float) else Cell(weeks or "", math.nan)

    return cell


def _circumference(row: Row) -> Cell:
    in_mm, low, high = (finite_value(row, column) for column in ("hc_mm", "hc_low_mm", "hc_high_mm"))
    if in_mm is None:
        return UNKNOWN
    interval = f" ({low:.1f} to {high:.1f})" if low is not None and high is not None else ""
    return Cell(f"{in_mm:.1f}{interval}", in_mm)


def _in_pixels(row: Row) -> Cell:
    return number_cell(finite_value(row, "hc_px") if finite_value(row, "hc_mm") is None else None, "{:.0f}")


def _pixel_size(row: Row) -> Cell:
    x, y = finite_value(row, "pixel_size_mm"), finite_value(row, "pixel_size_y_mm")
    if x is None:
        return UNKNOWN
    return Cell(f"{x:.4g}" if y is None or math.isclose(x, y, rel_tol=1e-4) else f"{x:.4g} × {y:.4g}", x)


PAGE_COLUMNS: tuple[Column[Row], ...] = (
    Column("frame", _number("frame", "{:.0f}")),
    Column("HC, mm (90 % interval)", _circumference),
    Column("HC, px", _in_pixels),
    Column("BPD, mm", _number("bpd_mm", "{:.1f}")),
    Column("OFD, mm", _number("ofd_mm", "{:.1f}")),
    Column("CI, %", _number("cephalic_index", "{:.1f}")),
    Column("age by INTERGROWTH-21st", _age("ga_intergrowth_weeks")),
    Column("age by Hadlock", _age("ga_hadlock_weeks")),
    Column("age given", _age("gestational_age_weeks")),
    Column("z", _number("hc_z", "{:+.2f}")),
    Column("centile", _number("hc_centile", "{:.1f}")),
    Column("head, %", _per_cent("head_probability")),
    Column("pixel size, mm", _pixel_size),
    Column("pixel size from", _text("pixel_size_source")),
)
