"""The tables of an evaluation and of a prediction, as files and in the terminal.

A row is a dictionary by column: numbers, text, True or False, or None where a value is unknown.
"""

import csv
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fetal_seg.evaluation.clustered_statistics import describe
from fetal_seg.files import whole_file, write_text
from fetal_seg.measurement.biometry import TRIMESTER_LIMITS_MM, trimester

if TYPE_CHECKING:
    from rich.table import Table

Row = dict[str, Any]
Summary = dict[str, Any]

OVERLAPS = ("dice", "iou", "ellipse_dice")  # 0 to 1, and 0 for a missed head
MEASURES = (
    *("dice", "iou", "hd_mm", "hd95_mm", "assd_mm", "ellipse_dice", "ellipse_hd_mm"),
    *("hc_true_mm", "hc_pred_mm", "df_mm", "adf_mm"),
)
PER_IMAGE_COLUMNS = (
    *("file", "examination", *MEASURES, "trimester", "missed"),
    *("confidence", "hc_low_mm", "hc_high_mm", "covered", "flag", "reasons"),
)
PREDICTION_COLUMNS = (
    *("file", "center_x_px", "center_y_px", "semi_axis_a_px", "semi_axis_b_px", "angle_rad"),
    *("pixel_size_mm", "hc_mm", "flag", "reasons"),
    *("frame", "width_px", "height_px", "pixel_size_y_mm", "pixel_size_source", "hc_px", "hc_low_mm", "hc_high_mm"),
    *("bpd_mm", "ofd_mm", "area_mm2", "cephalic_index", "ga_intergrowth_weeks", "ga_hadlock_weeks"),
    *("gestational_age_weeks", "hc_z", "hc_centile", "confidence", "mask", "overlay"),
)
TITLES = {
    "dice": "Dice %",
    "iou": "IoU %",
    "hd_mm": "HD mm",
    "hd95_mm": "HD95 mm",
    "assd_mm": "ASSD mm",
    "ellipse_dice": "ellipse Dice %",
    "ellipse_hd_mm": "ellipse HD mm",
    "hc_true_mm": "HC true mm",
    "hc_pred_mm": "HC pred. mm",
    "df_mm": "DF mm",
    "adf_mm": "ADF mm",
}


def write_per_image(path: Path, rows: Iterable[Row]) -> None:
    """Write a row an image under `PER_IMAGE_COLUMNS` as CSV, whole or not at all.

    Numbers have six significant digits, ``missed`` is 0 or 1; an infinite distance is ``inf``,
    an unknown value (None, NaN or no such key) is empty. ``trimester`` and ``missed`` are filled
    in by `trimester_of` and `is_missed`.

    Raises:
        ValueError: a row has a key that is no column.
    """
    filled = (row | {"trimester": trimester_of(row), "missed": is_missed(row)} for row in rows)
    _write(path, PER_IMAGE_COLUMNS, filled)


def read_per_image(path: Path) -> list[Row]:
    """The rows that `write_per_image` wrote: text, floats, a trimester of 1 to 3, and None where a cell is empty."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {column: _TYPES.get(column, str)(cell) if cell else None for column, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def write_predictions(path: Path, rows: Iterable[Row]) -> None:
    """Write a row an image under `PREDICTION_COLUMNS` as CSV, whole or not at all.

    Values are written as in `write_per_image`; ``reasons`` may be a list, which is joined with ``; ``.

    Raises:
        ValueError: a row has a key that is no column.
    """
    _write(path, PREDICTION_COLUMNS, rows)


def summarise(rows: Sequence[Row]) -> Summary:
    """Statistics of the rows of an evaluation, as ``summary.json`` has them.

    A missed head counts as 0 in `OVERLAPS`, so that it cannot drop out of a mean. The other
    measures leave out what is infinite or unknown; ``missed`` says how many heads that concerns.

    Returns:
        ``n`` and ``missed`` (counts of images), each of `MEASURES` as ``{"mean", "sd", "median",
        "ci95": [low, high]}`` with None for a statistic of no image, the same again of the images
        of each trimester in ``by_trimester`` under "1", "2" and "3", and ``trimester_limits_mm``.
        Images without a known pixel size belong to no trimester. ``interval`` tells of the intervals of the
        circumference: ``images`` that have one, ``coverage`` (the part that holds its truth) with its
        ``ci95``, and ``mean_width_mm``; None where no image has one.
    """
    trimesters = [trimester_of(row) for row in rows]
    return _statistics(rows) | {
        "by_trimester": {
            str(number): _statistics([row for row, own in zip(rows, trimesters, strict=True) if own == number])
            for number in (1, 2, 3)
        },
        "trimester_limits_mm": list(TRIMESTER_LIMITS_MM),
    }


def write_summary(path: Path, summary: Summary) -> None:
    """Write a summary as strict JSON, indented, whole or not at all.

    Raises:
        ValueError: it holds a number that is not finite.
    """
    write_text(path, json.dumps(summary, indent=2, allow_nan=False) + "\n")


def summary_table(summary: Summary) -> "Table":
    """The summary for the terminal: a row a measure, then its mean in each trimester; overlaps in per cent."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    parts = summary["by_trimester"]
    title = f"{summary['n']} images, {summary['missed']} missed"
    limits = " and ".join(f"{limit:g}" for limit in summary["trimester_limits_mm"])
    caption = f"trimesters 2 and 3 begin at a true HC of {limits} mm"
    if summary["interval"] is not None:
        caption += "; intervals are to hold 90 % of the true HC"
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("\nmeasure")
    for head in ("\nmean", "95 %\ninterval", "\nSD", "\nmedian"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, part in parts.items():
        table.add_column(f"tri. {name}\nn={part['n']}", justify="right", style="dim", no_wrap=True)
    for measure in MEASURES:
        values, scale = summary[measure], 100.0 if measure in OVERLAPS else 1.0
        low, high = (_rounded(bound, scale) for bound in values["ci95"])
        table.add_row(
            TITLES[measure],
            _rounded(values["mean"], scale),
            "–" if values["ci95"][0] is None else f"{low} to {high}",
            _rounded(values["sd"], scale),
            _rounded(values["median"], scale),
            *(_rounded(part[measure]["mean"], scale) for part in parts.values()),
        )
    if (held := summary["interval"]) is not None:
        low, high = (_rounded(bound, 100.0) for bound in held["ci95"])
        covered = [part["interval"] and part["interval"]["coverage"] for part in parts.values()]
        widths = [part["interval"] and part["interval"]["mean_width_mm"] for part in parts.values()]
        title = "in interval %"
        table.add_row(
            title, _rounded(held["coverage"], 100), f"{low} to {high}", "", "", *(_rounded(one, 100) for one in covered)
        )
        table.add_row(
            "its width mm", _rounded(held["mean_width_mm"], 1), "", "", "", *(_rounded(one, 1) for one in widths)
        )
    return table


def trimester_of(row: Row) -> int | None:
    """1, 2 or 3 by the true circumference of a row of an evaluation; None where it is not known in mm."""
    value = number(row, "hc_true_mm")
    return None if value is None else trimester(value)


def is_missed(row: Row) -> bool:
    """Whether no ellipse was predicted: what ``missed`` says, else that it has neither overlap nor circumference."""
    missed = row.get("missed")
    return bool(number(row, "ellipse_dice") == 0 and row.get("hc_pred_mm") is None if missed is None else missed)


def number(row: Row, column: str) -> float | None:
    """The finite value of a measure; None where it is infinite or unknown, but 0 for the overlap of a missed head."""
    value = row.get(column)
    if value is not None and math.isfinite(value):
        return float(value)
    return 0.0 if column in OVERLAPS else None


def _statistics(rows: Sequence[Row]) -> Summary:
    counts = {"n": len(rows), "missed": sum(map(is_missed, rows))}
    return counts | {measure: _describe(rows, measure) for measure in MEASURES} | {"interval": _interval(rows)}


def _interval(rows: Sequence[Row]) -> Summary | None:
    judged = [row for row in rows if row.get("covered") is not None]
    if not judged:
        return None
    held = _describe([row | {"covered": float(row["covered"])} for row in judged], "covered")
    width = float(np.mean([row["hc_high_mm"] - row["hc_low_mm"] for row in judged]))
    return {"images": len(judged), "coverage": held["mean"], "ci95": held["ci95"], "mean_width_mm": width}


def _describe(rows: Sequence[Row], measure: str) -> Summary:
    known = [(value, row["examination"]) for row in rows if (value := number(row, measure)) is not None]
    if not known:
        return {"mean": None, "sd": None, "median": None, "ci95": [None, None]}
    values, examinations = zip(*known, strict=True)
    described = describe(np.array(values), np.array(examinations))
    return {name: _finite(described[name]) for name in ("mean", "sd", "median")} | {
        "ci95": [_finite(bound) for bound in described["ci95"]]
    }


def _finite(value: float | None) -> float | None:
    """A plain float that JSON can hold: None where one image leaves a spread undefined."""
    return float(value) if value is not None and math.isfinite(value) else None


def _rounded(value: float | None, scale: float) -> str:
    return "–" if value is None else f"{scale * value:.2f}"


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({column: _cell(value) for column, value in row.items()} for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _flag(cell: str) -> bool:
    return cell == "1"


_TYPES: dict[str, Callable[[str], Any]] = dict.fromkeys((*MEASURES, "confidence", "hc_low_mm", "hc_high_mm"), float) | {
    "trimester": int,
    "missed": _flag,
    "covered": _flag,
}
