"""The page of a prediction: a summary and a table that can be sorted, beside the files it shows."""

import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from fetal_seg.evaluation.tables import Row, finite_value
from fetal_seg.files import write_text
from fetal_seg.measurement.biometry import DATING_FORMULAS
from fetal_seg.measurement.quality import CIRCUMFERENCES_MM
from fetal_seg.measurement.result import Flag
from fetal_seg.report.page import environment
from fetal_seg.report.prediction.columns import PAGE_COLUMNS

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
class Histogram:
    """What the page draws of circumferences.

    Attributes:
        bars: first mm and count of each bin of `BIN_MM`, without gaps.
        low, high: ends of the axis, mm.
        ticks: of the axis, mm.
        most: the highest count.
        beyond: how many are no head's, and not drawn.
    """

    bars: list[tuple[int, int]]
    low: int
    high: int
    ticks: list[int]
    most: int
    beyond: int


def write_page(
    path: Path, rows: Sequence[Row], *, checkpoint: str, runtime: str, command: str, growth_chart: Path | None = None
) -> None:
    """Write the page, whole or not at all. It needs no network, and shows overlays by their place beside it.

    Args:
        path: of the page, in the folder that the rows' ``overlay`` starts from.
        runtime: what ran the network, in words.
    """
    columns = {column.heading: [column.cell(row) for row in rows] for column in PAGE_COLUMNS}
    columns = {heading: cells for heading, cells in columns.items() if any(cell.text for cell in cells)}
    page = (
        environment()
        .get_template("predictions.html.j2")
        .render(
            flags=FLAGS,
            counts=Counter(row["flag"] for row in rows),
            summary=_summary(rows),
            doubts=_doubts(rows),
            histogram=histogram([value for row in rows if (value := finite_value(row, "hc_mm")) is not None]),
            growth_chart=growth_chart and _link(os.path.relpath(growth_chart, path.parent)),
            headings=list(columns),
            lines=[
                {
                    "name": str(row["file"]),
                    "flag": row["flag"],
                    "reasons": "; ".join(row.get("reasons") or []),
                    "overlay": _link(row["overlay"]) if row.get("overlay") else None,
                    "cells": [cells[index] for cells in columns.values()],
                }
                for index, row in enumerate(rows)
            ],
            has_overlays=any(row.get("overlay") for row in rows),
            formulas=DATING_FORMULAS,
            checkpoint=checkpoint,
            runtime=runtime,
            command=command,
            step=STEP,
            bin_mm=BIN_MM,
        )
    )
    write_text(path, page)


def histogram(values: Sequence[float]) -> Histogram | None:
    """The histogram of circumferences in mm; None for fewer than two of a head."""
    inside = [value for value in values if CIRCUMFERENCES_MM[0] <= value <= CIRCUMFERENCES_MM[1]]
    if len(inside) < 2:
        return None
    counts = Counter(math.floor(value / BIN_MM) for value in inside)
    first, last = min(counts), max(counts) + 1
    step = next(step for step in (1, 2, 5, 10) if (last - first) / step <= 8)
    return Histogram(
        bars=[(BIN_MM * index, counts[index]) for index in range(first, last)],
        low=BIN_MM * first,
        high=BIN_MM * last,
        ticks=[BIN_MM * index for index in range(first, last + 1) if index % step == 0],
        most=max(counts.values()),
        beyond=len(values) - len(inside),
    )


def _summary(rows: Sequence[Row]) -> list[str]:
    """The summary, in sentences."""
    counts = Counter(row["flag"] for row in rows)
    sentences = [
        f"{len(rows)} image{'' if len(rows) == 1 else 's'}: {counts[Flag.OK]} measured, {counts[Flag.CHECK]} measured "
        f"but to be checked, {counts[Flag.NO_HEAD]} without a head, {counts[Flag.ERROR]} unreadable."
    ]
    in_mm = [value for row in rows if (value := finite_value(row, "hc_mm")) is not None]
    if len(in_mm) > 1:
        sentences.append(
            f"Head circumference (HC) of {len(in_mm)} images: median {np.median(in_mm):.1f} mm, "
            f"{min(in_mm):.1f} to {max(in_mm):.1f} mm."
        )
    in_px = sum(finite_value(row, "hc_mm") is None and finite_value(row, "hc_px") is not None for row in rows)
    if in_px:
        sentences.append(f"Without a known pixel size, and so measured in pixels: {in_px}.")
    return sentences


def _doubts(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """The commonest reasons to check an image, without what is in brackets, and how often each was given."""
    reasons = Counter(
        reason.partition(" (")[0] for row in rows if row["flag"] == Flag.CHECK for reason in row.get("reasons") or []
    )
    return reasons.most_common(MOST_REASONS)


def _link(path: str) -> str:
    """A relative address; names may hold ``#``, ``?`` and the like, and a first part with a colon is no scheme."""
    return "./" + quote(path.replace(os.sep, "/"))
