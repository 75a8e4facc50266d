"""Measure checkpoints on images whose truth is known: tables, plots and pictures in a folder."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from fetal_seg.commands.choosing import choose_records, read_records, unseen
from fetal_seg.commands.planes import judge_planes, judge_without_head, learn_planes
from fetal_seg.commands.prove import prove_pretrained
from fetal_seg.config.commands import EvaluateConfig
from fetal_seg.data.planes import PlaneImage, read_planes
from fetal_seg.data.records import Record, with_head
from fetal_seg.errors import InputError
from fetal_seg.evaluation.comparison import compare_all, write_comparisons
from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.labels import factors, label
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.scoring import score_records
from fetal_seg.evaluation.summary import Summary, summarise, write_summary
from fetal_seg.evaluation.tables import Row, read_per_image, write_per_image
from fetal_seg.inference.opening import open_runtime, read_trained
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.calibration import Calibration, Calibrator, judge
from fetal_seg.models.checkpoint import add_calibration, read_checkpoint
from fetal_seg.models.exported import is_exported
from fetal_seg.models.weights import SUFFIX
from fetal_seg.progress import track
from fetal_seg.report.pictures import Panel, draw_best_and_worst, evaluation_caption
from fetal_seg.report.run.accuracy import draw_bland_altman, draw_errors
from fetal_seg.report.terminal import comparison_table, summary_table

logger = logging.getLogger(__name__)


def run(config: EvaluateConfig, run_dir: Path, hc18_root: str) -> None:
    """Predict the records of a part, compare them with the truth, write tables and pictures.

    Args:
        hc18_root: where HC18 is, unless the configuration or the checkpoint says.

    Raises:
        InputError: a checkpoint or the data cannot be used, or the checkpoint cannot be calibrated.
    """
    checkpoints = [read_trained(name) for name in ([config.ckpt] if isinstance(config.ckpt, str) else config.ckpt)]
    paths = [checkpoint.path for checkpoint in checkpoints]
    if config.calibrate and (paths[0].suffix == SUFFIX or is_exported(paths[0])):
        raise InputError(f"calibrate=true: {paths[0]} stays as it is; calibrate the checkpoint that it was made of")
    planes = read_planes(config.data.negatives) if config.data.negatives else []
    everything = read_records(config, checkpoints, hc18_root)
    records, caveat = choose_records(config, checkpoints, everything)
    options: Any = {"device": config.device, "precision": config.precision, "runtime": config.runtime}
    prove_pretrained(checkpoints, **options)
    options |= {"flips": config.tta == "flips"}
    if config.calibrate and (len(paths) > 1 or options["flips"]):
        raise InputError(
            "calibrate=true is for one checkpoint as a prediction uses it by default; leave out the others"
        )
    if len(paths) == 1 or config.ensemble:
        predictor = Predictor.load(checkpoints, **options)
        if planes and config.calibrate:
            trained = [record for record in everything if record.name in set(checkpoints[0].description.split.train)]
            gate = learn_planes(open_runtime(checkpoints[0], config.device, config.precision), planes, trained, records)
            predictor.calibration = replace(predictor.calibration or Calibration(), gate=gate)
        evaluate_to(run_dir, predictor, records, calibrate=paths[0] if config.calibrate else None)
        if planes:
            judge_planes(run_dir, predictor, planes)
        _warn(caveat)
        return
    predictors = [Predictor.load(checkpoint, **options) for checkpoint in checkpoints]
    compare_to(run_dir, paths, predictors, records)
    for number, predictor in enumerate(predictors, start=1) if planes else ():
        judge_planes(run_dir / str(number), predictor, planes)
    _warn(caveat)


def _warn(caveat: str | None) -> None:
    """What is to be known of the figures, beside them."""
    if caveat:
        logger.warning(caveat)


def evaluate_to(
    folder: Path, predictor: Predictor, records: Sequence[Record], calibrate: Path | None = None
) -> Summary:
    """Compare predictions with the truth, write the results into `folder`, print a table; give the summary.

    All of this is of the images that show a head. What is measured in the others is told and counted beside it.

    Args:
        calibrate: a checkpoint that gets the calibration which these images give; they must be held-out ones.
    """
    rows, calibrator, heads = [], Calibrator(predictor.letterbox), with_head(records)
    for scored in track(score_records(predictor, heads), "evaluating", len(heads)):
        calibrator.add(scored.image, scored.prediction.mask)
        rows.append(scored.scores)
    if calibrate:
        gate = predictor.calibration.gate if predictor.calibration else None
        predictor.calibration = replace(calibrator.result(rows), gate=gate)
        add_calibration(calibrate, predictor.calibration)
    rows = judge(rows, calibrator.images, predictor.calibration)
    summary = summarise(rows, judge_without_head(folder, predictor, records))
    summary["runtime"] = [asdict(used) for used in predictor.used]
    write_per_image(folder / "per_image.csv", rows)
    write_summary(folder / "summary.json", summary)
    draw_errors(rows, folder / "errors.png")
    draw_bland_altman(rows, folder / "bland_altman.png")
    by_name = {record.name: record for record in heads}

    def load(row: Row) -> Panel:
        (scored,) = score_records(predictor, [by_name[row["file"]]])
        prediction = scored.prediction
        return Panel(scored.image, evaluation_caption(row), prediction.mask, prediction.ellipse, scored.truth)

    draw_best_and_worst(rows, load, folder / "best_and_worst.png")
    Console().print(summary_table(summary))
    logger.info("runtime: %s\nevaluation: %s", "; ".join(map(str, predictor.used)), folder)
    return summary


def evaluate_trained(
    folder: Path,
    ckpt: Path,
    trained: Sequence[Record],
    held_out: Sequence[Record],
    planes: Sequence[PlaneImage],
    *,
    started: bool,
) -> Summary | None:
    """Evaluate and calibrate a checkpoint that has just been trained; the summary, None where no image judges.

    Args:
        planes: that its head gate learns from; without any it has none.
        started: whether it started from another, whose images judge nothing.
    """
    checkpoint = read_checkpoint(ckpt)
    if started:
        try:
            held_out, _ = unseen(list(held_out), [checkpoint], keep=False)
        except InputError as error:
            logger.warning("no evaluation: %s", error)
            return None
    runtime = open_runtime(checkpoint)
    gate = learn_planes(runtime, planes, trained, held_out) if planes else None
    if not planes:
        logger.info("this checkpoint cannot tell heads from other planes: it was given no data.negatives")
    predictor = Predictor([runtime], calibration=Calibration(gate=gate))
    return evaluate_to(folder, predictor, held_out, calibrate=ckpt)


def compare_to(folder: Path, paths: Sequence[Path], predictors: Sequence[Predictor], records: Sequence[Record]) -> None:
    """Evaluate checkpoints on the same images, each into a numbered folder in `folder`, and compare them there.

    Checkpoints of runs that differ in nothing but their seed are repeats of one contender.

    Raises:
        InputError: no image shows a head.
    """
    if not with_head(records):
        raise InputError(
            "none of these images shows a head: there is nothing to compare; give others, or one checkpoint"
        )
    evaluations: dict[str, list[list[Row]]] = {}
    for number, (path, name, predictor) in enumerate(zip(paths, labels_of(paths), predictors, strict=True), start=1):
        logger.info("\n%d: %s (%s)", number, name, path)
        evaluate_to(folder / str(number), predictor, records)
        evaluations.setdefault(name, []).append(read_per_image(folder / str(number) / "per_image.csv"))
    if len(evaluations) == 1:
        logger.info("these are repeats of one configuration, so there is nothing to compare")
        return
    contenders = [average_repeats(name, repeats) for name, repeats in evaluations.items()]
    comparisons = compare_all(contenders)
    write_comparisons(folder / "comparison.csv", comparisons)
    Console().print(comparison_table(contenders, comparisons))
    sentences = "\n".join(comparison.sentence for comparison in comparisons)
    logger.info("%s\ncomparison: %s", sentences, folder / "comparison.csv")


def labels_of(paths: Sequence[Path]) -> list[str]:
    """What tells checkpoints apart: the settings of their runs; or their paths, where they lie in no run's folder."""
    folders = [path.resolve().parent.parent for path in paths]
    if len(set(folders)) == len(paths) and all((folder / ".hydra" / "config.yaml").is_file() for folder in folders):
        runs = read_runs(folders)
        keys = factors(runs)
        return [label(run, keys) if keys else str(run.setting("model")) for run in runs]
    return [str(path) for path in paths]
