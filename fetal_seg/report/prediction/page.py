"""The page of a prediction: a summary and a table that can be sorted, beside the files it shows."""

import math
import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fetal_seg.evaluation.tables import Row
from fetal_seg.files import whole_file
from fetal_seg.measurement.biometry import DATING_FORMULAS
from fetal_seg.measurement.quality import CIRCUMFERENCES_MM
from fetal_seg.measurement.result import Flag
from fetal_seg.report.page import Column, environment
from fetal_seg.report.prediction.columns import PAGE_COLUMNS
from fetal_seg.report.prediction.totals import Totals

FLAGS = {
    Flag.OK: "The head was measured.",
    Flag.CHECK: "The head was measured, but look at it: the reasons say why.",
    Flag.NO_HEAD: "Nothing in the image looks like a head; nothing was measured.",
    Flag.ERROR: "The file could not be read: the reason says why.",
}
BIN_MM = 10
MOST_REASONS = 8
STEP = 200  # rows that a browser lays out at once
BUFFERED = 1000  # parts of the page that are written at once


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
    path: Path,
    rows: Collection[Row],
    totals: Totals,
    *,
    checkpoint: str,
    runtime: str,
    command: str,
    growth_chart: Path | None = None,
    most: int | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write the page, whole or not at all. It needs no network, and shows overlays by their place beside it.

    Args:
        path: of the page, in the folder that the rows' ``overlay`` starts from.
        rows: of which those of a file follow one another; they are read several times, one by one.
        totals: of the rows.
        runtime: what ran the network, in words.
        most: rows that the table shows at most, the first ones; None for all.
        notes: sentences about what is missing.
    """
    columns = _filled(islice(rows, most))
    page = (
        environment()
        .get_template("predictions.html.j2")
        .stream(
            flags=FLAGS,
            counts=Counter(row["flag"] for row in islice(rows, most)),
            summary=_summary(totals),
            notes=notes,
            count=totals.count,
            shown=totals.count if most is None else min(most, totals.count),
            doubts=totals.doubts.most_common(MOST_REASONS),
            histogram=histogram(totals.hc_mm),
            growth_chart=growth_chart and _link(os.path.relpath(growth_chart, path.parent)),
            headings=[column.heading for column in columns],
            lines=(_line(row, columns) for row in islice(rows, most)),
            has_overlays=any(row.get("overlay") for row in islice(rows, most)),
            formulas=DATING_FORMULAS,
            checkpoint=checkpoint,
            runtime=runtime,
            command=command,
            step=STEP,
            bin_mm=BIN_MM,
        )
    )
    page.enable_buffering(BUFFERED)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        page.dump(file, encoding="utf-8")


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


def _filled(rows: Iterable[Row]) -> list[Column[Row]]:
    """The columns that some row has a value for."""
    empty = list(PAGE_COLUMNS)
    for row in rows:
        empty = [column for column in empty if not column.cell(row).text]
    return [column for column in PAGE_COLUMNS if column not in empty]


def _line(row: Row, columns: Sequence[Column[Row]]) -> dict[str, Any]:
    """What the template shows of a row."""
    return {
        "name": str(row["file"]),
        "flag": row["flag"],
        "reasons": "; ".join(row.get("reasons") or []),
        "overlay": _link(row["overlay"]) if row.get("overlay") else None,
        "cells": [column.cell(row) for column in columns],
    }


def _summary(totals: Totals) -> list[str]:
    """The summary, in sentences."""
    sentences = [f"{totals.sentence}.", totals.circumferences]
    if totals.in_pixels:
        sentences.append(f"Without a known pixel size, and so measured in pixels: {totals.in_pixels}.")
    return [sentence for sentence in sentences if sentence]


def _link(path: str) -> str:
    """A relative address; names may hold ``#``, ``?`` and the like, and a first part with a colon is no scheme."""
    return "./" + quote(path.replace(os.sep, "/"))
