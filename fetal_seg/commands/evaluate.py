"""What an evaluation leaves in a folder: tables, plots and pictures."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from fetal_seg.data.records import Record
from fetal_seg.evaluation import tables
from fetal_seg.evaluation.comparison import write_comparison
from fetal_seg.evaluation.labels import factors, label
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.scoring import compare
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.calibration import Calibrator, judge
from fetal_seg.models.checkpoint import add_calibration
from fetal_seg.progress import track
from fetal_seg.report import pictures
from fetal_seg.report.run import accuracy as plots

logger = logging.getLogger(__name__)


def evaluate_to(
    folder: Path, predictor: Predictor, records: Sequence[Record], calibrate: Path | None = None
) -> dict[str, Any]:
    """Compare predictions with the truth, write the results into `folder`, print a table; give the summary.

    Args:
        folder: gets the tables and pictures.
        predictor: to judge.
        records: images with their truth.
        calibrate: a checkpoint that gets the calibration which these images give; they must be held-out ones.
    """
    rows, calibrator = [], Calibrator(predictor.letterbox)
    for compared in track(compare(predictor, records), "evaluating", len(records)):
        calibrator.add(compared.image, compared.prediction.mask)
        rows.append(compared.scores)
    if calibrate:
        predictor.calibration = calibrator.result(rows)
        add_calibration(calibrate, predictor.calibration)
    rows = judge(rows, calibrator.images, predictor.calibration)
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


def compare_to(folder: Path, paths: Sequence[Path], predictors: Sequence[Predictor], records: Sequence[Record]) -> None:
    """Evaluate checkpoints on the same images, each into a numbered folder in `folder`, and compare them there.

    Checkpoints of runs that differ in nothing but their seed are repeats of one contender.
    """
    evaluations: dict[str, list[list[tables.Row]]] = {}
    for number, (path, name, predictor) in enumerate(zip(paths, labels_of(paths), predictors, strict=True), start=1):
        logger.info("\n%d: %s (%s)", number, name, path)
        evaluate_to(folder / str(number), predictor, records)
        evaluations.setdefault(name, []).append(tables.read_per_image(folder / str(number) / "per_image.csv"))
    if len(evaluations) == 1:
        logger.info("these are repeats of one configuration, so there is nothing to compare")
        return
    table, sentences = write_comparison(folder, evaluations)
    Console().print(table)
    logger.info("%s\ncomparison: %s", "\n".join(sentences), folder / "comparison.csv")


def labels_of(paths: Sequence[Path]) -> list[str]:
    """What tells checkpoints apart: the settings of their runs; or their paths, where they lie in no run's folder."""
    folders = [path.resolve().parent.parent for path in paths]
    if len(set(folders)) == len(paths) and all((folder / ".hydra" / "config.yaml").is_file() for folder in folders):
        runs = read_runs(folders)
        keys = factors(runs)
        return [label(run, keys) if keys else str(run.setting("model")) for run in runs]
    return [str(path) for path in paths]


def headline(summary: dict[str, Any]) -> dict[str, float]:
    """The means that a table of runs shows."""
    columns = ("dice", "ellipse_dice", "ellipse_hd_mm", "df_mm", "adf_mm")
    means = {name: (summary.get(name) or {}).get("mean") for name in columns}
    return {name: mean for name, mean in means.items() if mean is not None}
