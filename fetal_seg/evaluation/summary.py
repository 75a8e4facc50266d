"""The summary of an evaluation: statistics of all images, and of those of each trimester."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fetal_seg.evaluation.clustered_statistics import describe
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.evaluation.tables import Row, finite_value, is_missed, trimester_of
from fetal_seg.files import write_text
from fetal_seg.measurement.biometry import TRIMESTER_LIMITS_MM

Summary = dict[str, Any]  # the content of summary.json


def summarise(rows: Sequence[Row], without_head: dict[str, int] | None = None) -> Summary:
    """Statistics of the rows of an evaluation, as ``summary.json`` has them.

    A missed head counts as 0 in overlaps, so that it cannot drop out of a mean. The other
    metrics leave out what is infinite or unknown; ``missed`` says how many heads that concerns.

    Args:
        rows: of images that show a head.
        without_head: how many other ``images`` there were, and what became of them; None where there were none.

    Returns:
        ``n`` and ``missed`` (counts of images), each of `METRICS` as ``{"mean", "sd", "median", "ci95": [low, high]}``
        with None for a statistic of no image, the same again of the images of each trimester in ``by_trimester`` under
        "1", "2" and "3", and ``trimester_limits_mm``. Images without a known pixel size belong to no trimester.
        ``interval`` tells of the intervals of the circumference: ``images`` that have one, ``coverage`` (the fraction
        that holds its truth) with its ``ci95``, and ``mean_width_mm``; None where no image has one.
        ``without_head`` is as it was given: these images are in none of the statistics.
    """
    trimesters = [trimester_of(row) for row in rows]
    return _statistics(rows) | {
        "by_trimester": {
            str(number): _statistics([row for row, of_row in zip(rows, trimesters, strict=True) if of_row == number])
            for number in (1, 2, 3)
        },
        "trimester_limits_mm": list(TRIMESTER_LIMITS_MM),
        "without_head": without_head,
    }


def write_summary(path: Path, summary: Summary) -> None:
    """Write a summary as strict JSON, indented, whole or not at all.

    Raises:
        ValueError: it holds a number that is not finite.
    """
    write_text(path, json.dumps(summary, indent=2, allow_nan=False) + "\n")


def final_metrics(summary: Summary) -> dict[str, float]:
    """The means that a run's record and a table of runs show, without those of no image."""
    means = {metric.column: summary[metric.column]["mean"] for metric in METRICS if metric.in_run_record}
    return {column: mean for column, mean in means.items() if mean is not None}


def _statistics(rows: Sequence[Row]) -> Summary:
    counts = {"n": len(rows), "missed": sum(map(is_missed, rows))}
    metrics = {metric.column: _describe(rows, metric.column) for metric in METRICS}
    return counts | metrics | {"interval": _interval(rows)}


def _interval(rows: Sequence[Row]) -> Summary | None:
    judged = [row for row in rows if row.get("covered") is not None]
    if not judged:
        return None
    coverage = _describe([row | {"covered": float(row["covered"])} for row in judged], "covered")
    width = float(np.mean([row["hc_high_mm"] - row["hc_low_mm"] for row in judged]))
    return {"images": len(judged), "coverage": coverage["mean"], "ci95": coverage["ci95"], "mean_width_mm": width}


def _describe(rows: Sequence[Row], column: str) -> Summary:
    pairs = [(value, row["examination"]) for row in rows if (value := finite_value(row, column)) is not None]
    if not pairs:
        return {"mean": None, "sd": None, "median": None, "ci95": [None, None]}
    values, examinations = zip(*pairs, strict=True)
    described = describe(values, examinations)
    # A bootstrap of very few examinations may have no bounds, and JSON has no NaN
    return described | {"ci95": [bound if math.isfinite(bound) else None for bound in described["ci95"]]}
