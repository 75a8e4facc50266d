"""The tables of an evaluation and of a prediction, as CSV files.

A row is a dictionary by column: numbers, text, True or False, or None where a value is unknown.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fetal_seg.errors import InputError, one_line
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.files import read_own_csv, write_csv
from fetal_seg.measurement.biometry import trimester

Row = dict[str, Any]

PER_IMAGE_COLUMNS = (
    *("file", "examination", *(metric.column for metric in METRICS), "trimester", "missed"),
    *("confidence", "hc_low_mm", "hc_high_mm", "covered", "flag", "reasons", "head_probability"),
)
PREDICTION_COLUMNS = (
    *("file", "center_x_px", "center_y_px", "semi_axis_a_px", "semi_axis_b_px", "angle_rad"),
    *("pixel_size_mm", "hc_mm", "flag", "reasons"),
    *("frame", "width_px", "height_px", "pixel_size_y_mm", "pixel_size_source", "hc_px", "hc_low_mm", "hc_high_mm"),
    *("bpd_mm", "ofd_mm", "area_mm2", "cephalic_index", "ga_intergrowth_weeks", "ga_hadlock_weeks"),
    *("gestational_age_weeks", "hc_z", "hc_centile", "confidence", "mask", "overlay", "head_probability"),
)
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the begin of one
_OVERLAPS = {metric.column for metric in METRICS if metric.is_overlap and not metric.needs_pixel_size}


def write_per_image(path: Path, rows: Iterable[Row]) -> None:
    """Write a row an image under `PER_IMAGE_COLUMNS`, as `write_rows` does.

    ``trimester`` and ``missed`` are filled in by `trimester_of` and `is_missed`.

    Raises:
        ValueError: a row has a key that is no column.
    """
    filled = (row | {"trimester": trimester_of(row), "missed": is_missed(row)} for row in rows)
    write_rows(path, PER_IMAGE_COLUMNS, filled)


def read_per_image(path: Path) -> list[Row]:
    """The rows that `write_per_image` wrote: text, floats, a trimester of 1 to 3, and None where a cell is empty.

    Raises:
        InputError: the file is damaged, or has fewer rows than the summary beside it counts.
    """
    rows = read_own_csv(path, ("file", "examination"))
    try:
        if (counted := _counted(path.with_name("summary.json"))) not in (None, len(rows)):
            raise ValueError(f"{len(rows)} rows, where summary.json counts {counted}")
        if any(not (row.get("file") and row.get("examination")) for row in rows):
            raise ValueError("a row names no file or no examination")
        return [
            {column: _TYPES.get(column, _without_apostrophe)(cell) if cell else None for column, cell in row.items()}
            for row in rows
        ]
    except ValueError as error:
        raise InputError(
            f"{path} is damaged ({one_line(error)}); evaluate the run again, or remove its folder"
        ) from error


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows as CSV, whole or not at all.

    Numbers have six significant digits, True and False are 1 and 0. An infinite number is ``inf``, an unknown value
    (None, NaN or no such key) is empty. The items of a list are joined with ``; ``. Text that a spreadsheet would take
    for a formula has an apostrophe before it.

    Raises:
        ValueError: a row has a key that is no column.
    """
    write_csv(path, columns, cells(rows))


def cells(rows: Iterable[Row]) -> Iterator[dict[str, str]]:
    """The text of each cell, as `write_rows` writes it."""
    return ({column: _cell(value) for column, value in row.items()} for row in rows)


def unscaled(rows: Iterable[Row]) -> list[str]:
    """The files, each once, of rows whose head was measured in pixels alone, since no pixel size is known."""
    return list(dict.fromkeys(str(row["file"]) for row in rows if row.get("hc_px") and row.get("hc_mm") is None))


def trimester_of(row: Row) -> int | None:
    """1, 2 or 3 by the true circumference of a row of an evaluation; None where it is not known in mm."""
    hc_mm = finite_value(row, "hc_true_mm")
    return None if hc_mm is None else trimester(hc_mm)


def is_missed(row: Row) -> bool:
    """Whether no ellipse was predicted: what ``missed`` says, else that it has neither overlap nor circumference."""
    missed = row.get("missed")
    return bool(finite_value(row, "ellipse_dice") == 0 and row.get("hc_pred_mm") is None if missed is None else missed)


def finite_value(row: Row, column: str) -> float | None:
    """The finite value of a column; None where it is infinite or unknown, but 0 for the overlap of a missed head."""
    value = row.get(column)
    if value is not None and math.isfinite(value):
        return float(value)
    return 0.0 if column in _OVERLAPS else None


def _counted(summary: Path) -> int | None:
    """How many images a summary is of; None where it is not there."""
    try:
        return int(json.loads(summary.read_text(encoding="utf-8"))["n"])
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("summary.json beside it does not say of how many images it is") from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{value:.6g}"
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.startswith(FORMULAS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _without_apostrophe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULAS) else cell


_NUMBERS = (*(metric.column for metric in METRICS), "confidence", "hc_low_mm", "hc_high_mm", "head_probability")
_TYPES: dict[str, Callable[[str], Any]] = dict.fromkeys(_NUMBERS, float) | {"trimester": int}
_TYPES |= dict.fromkeys(("missed", "covered"), lambda cell: cell == "1")
