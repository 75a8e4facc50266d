"""What an evaluation leaves in a folder: tables, plots and pictures."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from fetal_seg.data.records import Record
from fetal_seg.evaluation import compare
from fetal_seg.predictor import Predictor
from fetal_seg.progress import track
from fetal_seg.report import pictures, plots, tables

logger = logging.getLogger(__name__)


def evaluate_to(folder: Path, predictor: Predictor, records: Sequence[Record]) -> dict[str, Any]:
    """Compare predictions with the truth, write the results into `folder`, print a table; give the summary."""
    rows = [compared.scores for compared in track(compare(predictor, records), "evaluating", len(records))]
    summary = tables.summarise(rows)
    tables.write_per_image(folder / "per_image.csv", rows)
    tables.write_summary(folder / "summary.json", summary)
    plots.draw_errors(rows, folder / "errors.png")
    plots.draw_bland_altman(rows, folder / "bland_altman.png")
    known = {record.name: record for record in records}

    def load(row: dict[str, Any]) -> pictures.Panel:
        (compared,) = compare(predictor, [known[row["file"]]])
        return pictures.Panel(
            compared.image,
            pictures.evaluation_caption(row),
            mask=compared.prediction.mask,
            prediction=compared.prediction.ellipse,
            truth=compared.truth,
        )

    pictures.draw_best_and_worst(rows, load, folder / "best_and_worst.png")
    Console().print(tables.summary_table(summary))
    logger.info("evaluation: %s", folder)
    return summary


def headline(summary: dict[str, Any]) -> dict[str, float]:
    """The means that a table of runs shows."""
    columns = ("dice", "ellipse_dice", "ellipse_hd_mm", "df_mm", "adf_mm")
    means = {name: (summary.get(name) or {}).get("mean") for name in columns}
    return {name: mean for name, mean in means.items() if mean is not None}
