"""The page of a prediction: a summary and a table that can be sorted, beside the files it shows."""

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from fetal_seg.evaluation.tables import Row, number
from fetal_seg.files import write_text
from fetal_seg.measurement.biometry import DATING_FORMULAS, age_text
from fetal_seg.measurement.quality import CIRCUMFERENCES_MM
from fetal_seg.measurement.result import Flag
from fetal_seg.report.page import environment

FLAGS = {
    Flag.OK: "The head was measured.",
    Flag.CHECK: "The head was measured, but look at it: the reasons say why.",
    Flag.NO_HEAD: "Nothing in the image looks like a head; nothing was measured.",
    Flag.ERROR: "The file could not be read: the reason says why.",
}
BIN_MM = 10
MOST_REASONS = 8
STEP = 200  # rows that a browser lays out at once


@dataclass(frozen=True)
class Cell:
    """A cell of the table: what is shown, and the number to sort by, where it is one."""

    text: str = ""
    number: float | None = None
    is_number: bool = True


@dataclass(frozen=True)
class Column:
    """A column of the table: its heading with the unit, and the cell of a row. One without any text is left out."""

    heading: str
    cell: Callable[[Row], Cell]


def write_page(
    path: Path, rows: Sequence[Row], *, checkpoint: str, command: str, growth_chart: Path | None = None
) -> None:
    """Write the page, whole or not at all. It needs no network, and shows overlays by their place beside it.

    Args:
        path: of the page, in the folder that the rows' ``overlay`` starts from.
        rows: of a prediction, one an image.
        checkpoint: name of what predicted them.
        command: the command line that did.
        growth_chart: a PNG to show.
    """
    cells = {column.heading: [column.cell(row) for row in rows] for column in COLUMNS}
    shown = {heading: own for heading, own in cells.items() if any(cell.text for cell in own)}
    page = (
        environment()
        .get_template("predictions.html.j2")
        .render(
            flags=FLAGS,
            counts=Counter(row["flag"] for row in rows),
            told=_told(rows),
            doubts=_doubts(rows),
            histogram=histogram([value for row in rows if (value := number(row, "hc_mm")) is not None]),
            growth_chart=growth_chart and _link(os.path.relpath(growth_chart, path.parent)),
            headings=list(shown),
            lines=[
                {
                    "name": str(row["file"]),
                    "flag": row["flag"],
                    "reasons": "; ".join(row.get("reasons") or []),
                    "overlay": _link(row["overlay"]) if row.get("overlay") else None,
                    "cells": [own[place] for own in shown.values()],
                }
                for place, row in enumerate(rows)
            ],
            has_overlays=any(row.get("overlay") for row in rows),
            formulas=DATING_FORMULAS,
            checkpoint=checkpoint,
            command=command,
            step=STEP,
        )
    )
    write_text(path, page)


def histogram(values: Sequence[float]) -> dict[str, Any] | None:
    """What the page draws of circumferences in mm; None for fewer than two.

    Returns:
        ``bars``: first mm and count of each bin of `BIN_MM`, as (mm, count), without gaps; ``low`` and ``high``: ends
        of the axis, mm; ``ticks``: mm; ``most``: the highest count; ``beyond``: how many are no head's, and not drawn.
    """
    known = [value for value in values if CIRCUMFERENCES_MM[0] <= value <= CIRCUMFERENCES_MM[1]]
    if len(known) < 2:
        return None
    places = Counter(math.floor(value / BIN_MM) for value in known)
    first, last = min(places), max(places) + 1
    step = next(step for step in (1, 2, 5, 10) if (last - first) / step <= 8)
    return {
        "bars": [(BIN_MM * place, places[place]) for place in range(first, last)],
        "low": BIN_MM * first,
        "high": BIN_MM * last,
        "ticks": [BIN_MM * place for place in range(first, last + 1) if place % step == 0],
        "most": max(places.values()),
        "beyond": len(values) - len(known),
        "bin": BIN_MM,
    }


def _told(rows: Sequence[Row]) -> list[str]:
    """The summary, in sentences."""
    counts = Counter(row["flag"] for row in rows)
    told = [
        f"{len(rows)} image{'' if len(rows) == 1 else 's'}: {counts[Flag.OK]} measured, {counts[Flag.CHECK]} measured "
        f"but to be checked, {counts[Flag.NO_HEAD]} without a head, {counts[Flag.ERROR]} unreadable."
    ]
    in_mm = [value for row in rows if (value := number(row, "hc_mm")) is not None]
    if len(in_mm) > 1:
        told.append(
            f"Head circumference (HC) of {len(in_mm)} images: median {np.median(in_mm):.1f} mm, "
            f"{min(in_mm):.1f} to {max(in_mm):.1f} mm."
        )
    in_px = sum(number(row, "hc_mm") is None and number(row, "hc_px") is not None for row in rows)
    if in_px:
        told.append(f"Without a known pixel size, and so measured in pixels: {in_px}.")
    return told


def _doubts(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """The commonest reasons to check an image, without what is in brackets, and how often each was given."""
    reasons = Counter(
        reason.partition(" (")[0] for row in rows if row["flag"] == Flag.CHECK for reason in row.get("reasons") or []
    )
    return reasons.most_common(MOST_REASONS)


def _measure(column: str, form: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        value = number(row, column)
        return Cell() if value is None else Cell(form.format(value).replace("-", "−"), value)

    return cell


def _text(column: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(str(row.get(column) or ""), is_number=False)


def _age(column: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        weeks = row.get(column)
        return Cell(age_text(weeks), float(weeks)) if isinstance(weeks, int | float) else Cell(weeks or "")

    return cell


def _circumference(row: Row) -> Cell:
    in_mm, low, high = (number(row, column) for column in ("hc_mm", "hc_low_mm", "hc_high_mm"))
    if in_mm is None:
        return Cell()
    interval = f" ({low:.1f} to {high:.1f})" if low is not None and high is not None else ""
    return Cell(f"{in_mm:.1f}{interval}", in_mm)


def _in_pixels(row: Row) -> Cell:
    return Cell() if number(row, "hc_mm") is not None else _measure("hc_px", "{:.0f}")(row)


def _pixel_size(row: Row) -> Cell:
    x, y = number(row, "pixel_size_mm"), number(row, "pixel_size_y_mm")
    if x is None:
        return Cell()
    return Cell(f"{x:.4g}" if y is None or math.isclose(x, y, rel_tol=1e-4) else f"{x:.4g} × {y:.4g}", x)


def _link(path: str) -> str:
    """A relative address; names may hold ``#``, ``?`` and the like, and a first part with a colon is no scheme."""
    return "./" + quote(path.replace(os.sep, "/"))


COLUMNS = (
    Column("frame", _measure("frame", "{:.0f}")),
    Column("HC, mm (90 % interval)", _circumference),
    Column("HC, px", _in_pixels),
    Column("BPD, mm", _measure("bpd_mm", "{:.1f}")),
    Column("OFD, mm", _measure("ofd_mm", "{:.1f}")),
    Column("CI, %", _measure("cephalic_index", "{:.1f}")),
    Column("age by INTERGROWTH-21st", _age("ga_intergrowth_weeks")),
    Column("age by Hadlock", _age("ga_hadlock_weeks")),
    Column("age given", _age("gestational_age_weeks")),
    Column("z", _measure("hc_z", "{:+.2f}")),
    Column("centile", _measure("hc_centile", "{:.1f}")),
    Column("pixel size, mm", _pixel_size),
    Column("pixel size from", _text("pixel_size_source")),
)
