"""A prediction's folder of results: what is measured, and what is made of all rows at the end."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fetal_seg.commands.predict.inputs import InputFile
from fetal_seg.commands.predict.journal import Journal
from fetal_seg.commands.predict.pipeline import PredictionOptions, is_current, measure_files, output_stems, panels
from fetal_seg.config.extras import REMEDY, is_installed
from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.evaluation.tables import PREDICTION_COLUMNS, Row, unscaled, write_rows
from fetal_seg.files import remove_partial_files
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.grey import read_grey
from fetal_seg.images.readers.dicom import is_dicom_file
from fetal_seg.inference.predictor import Predictor
from fetal_seg.inference.runtime import UsedRuntime
from fetal_seg.measurement.result import Flag
from fetal_seg.report import pictures

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OutputOptions:
    """What is written beside tables and pictures.

    Attributes:
        submission: HC18's submission file.
        dicom: ``seg``, ``sr`` or both: objects for each DICOM input.
        settings: what decides the rows, kept in ``settings.json``.
        resume: go on with an earlier run.
        command: the command line, for the page.
    """

    submission: bool = False
    dicom: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    resume: bool = False
    command: str = ""


def predict_to(
    folder: Path,
    predictor: Predictor,
    inputs: Sequence[InputFile],
    options: PredictionOptions,
    output: OutputOptions,
    decoders: Decoders,
) -> list[Row]:
    """Measure files, write the results into `folder`, print a table; the rows.

    Raises:
        InputError: no file could be read, `folder` cannot be written, or the submission cannot be made.
    """
    paths = {file.name: file.path for file in inputs}
    try:
        journal = Journal(
            folder,
            output.settings,
            resume=output.resume,
            used=predictor.used,
            is_current=lambda row: is_current(row, paths, options.sizes),
        )
        if journal.earlier and not output.resume:
            logger.warning(
                "%s holds %d rows of an earlier prediction, which are replaced; predict.resume=true would keep them",
                folder,
                len(journal.earlier),
            )
        for kind in ("masks", "overlays", "dicom"):
            remove_partial_files(folder / kind)
        sheet = pictures.ContactSheet(folder, options.picture_format)
        for panel in panels(folder, journal.rows, inputs, options.every):  # of an earlier run
            sheet.add(sheet.thumbnail(panel))
        measure_files(folder, predictor, inputs, options, journal, sheet, decoders)
        if all(row["flag"] == Flag.ERROR for row in journal.rows):
            journal.discard()
            raise InputError("; ".join(dict.fromkeys(str(row["reasons"][0]) for row in journal.rows[:3])))
        sheet.finish()
        journal.rows = rows = _in_order(journal.rows, inputs)
        _remove_stale(folder, rows, journal.earlier)
        _conclude(folder, journal, options, output)
        journal.finish()
        problems = _write_dicom(folder, rows, inputs, output.dicom) if output.dicom else []
        _report(rows, problems, folder, predictor.used)
        if output.submission:
            from fetal_seg.report.prediction.submission import write_submission

            write_submission(folder / "submission.csv", rows)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); what is there is whole: make room or permit "
            "it, and go on with predict.resume=true and the same output"
        ) from error
    return rows


def _conclude(folder: Path, journal: Journal, options: PredictionOptions, output: OutputOptions) -> None:
    from fetal_seg.report.prediction.page import write_page

    rows = journal.rows
    # The state of the source is of use to a resumed run alone
    documented = [{column: value for column, value in row.items() if column != "source"} for row in rows]
    chart = _growth_chart(folder, rows) if options.gestational_age_weeks is not None else None
    write_rows(folder / "predictions.csv", PREDICTION_COLUMNS, documented)
    write_page(
        folder / "report.html",
        rows,
        checkpoint=", ".join(output.settings.get("ckpt", [])),
        runtime="; ".join(map(str, journal.used)),
        command=output.command,
        growth_chart=chart,
    )


def _remove_stale(folder: Path, rows: Sequence[Row], earlier: Sequence[Row]) -> None:
    """Remove what an earlier run into the same folder left and these rows do not name; nothing else that is there."""
    before, now = (
        {str(row[kind]) for row in part for kind in ("mask", "overlay") if row.get(kind)} for part in (earlier, rows)
    )
    for name in before - now:
        (folder / name).unlink(missing_ok=True)
    if not earlier:
        return
    for path in (folder / "growth_chart.png", folder / "submission.csv", *folder.glob("dicom/**/*.dcm")):
        path.unlink(missing_ok=True)


def _growth_chart(folder: Path, rows: Sequence[Row]) -> Path | None:
    """The file of the chart; None where nothing here draws it."""
    if not is_installed("matplotlib"):
        logger.warning("no growth chart: matplotlib, which draws it, is not installed; %s", REMEDY)
        return None
    from fetal_seg.report.prediction.growth_chart import draw_growth_chart

    measured = [(row["gestational_age_weeks"], row["hc_mm"]) for row in rows if row.get("hc_mm") is not None]
    draw_growth_chart(measured, folder / "growth_chart.png")
    return folder / "growth_chart.png"


def _write_dicom(folder: Path, rows: Sequence[Row], inputs: Sequence[InputFile], kinds: Sequence[str]) -> list[str]:
    """DICOM objects of each DICOM input of which a head was measured; why some could not be made."""
    stems, paths = output_stems([file.name for file in inputs]), {file.name: file.path for file in inputs}
    problems = []
    for name, group in groupby(rows, key=lambda row: row["file"]):
        measured = [row for row in group if row["flag"] in (Flag.OK, Flag.CHECK)]
        if measured and is_dicom_file(paths[name]):
            try:
                _write_objects(folder, folder / "dicom" / stems[name], paths[name], measured, kinds)
            except (InputError, ValueError) as error:
                problems.append(f"{name}: {error}")
    return problems


def _write_objects(folder: Path, target: Path, source: Path, rows: Sequence[Row], kinds: Sequence[str]) -> None:
    from fetal_seg.report.prediction.dicom_objects import write_report, write_segmentation

    if "seg" in kinds:
        masks = np.stack([(read_grey(folder / row["mask"]) > 0).astype(np.uint8) for row in rows])
        frames = None if rows[0]["frame"] is None else [row["frame"] for row in rows]
        write_segmentation(
            target.with_name(f"{target.name}_seg.dcm"), source, masks[0] if frames is None else masks, frames
        )
    if "sr" in kinds:
        write_report(target.with_name(f"{target.name}_sr.dcm"), source, rows)


def _in_order(rows: Sequence[Row], inputs: Sequence[InputFile]) -> list[Row]:
    """The rows in the order of the inputs; a resumed run may have found more of them."""
    index = {file.name: number for number, file in enumerate(inputs)}
    return sorted(
        rows, key=lambda row: (index.get(row["file"], len(index)), row["flag"] == Flag.ERROR, row["frame"] or 0)
    )


def _report(rows: Sequence[Row], problems: Sequence[str], folder: Path, used: Sequence[UsedRuntime]) -> None:
    from fetal_seg.report.terminal import predictions_table

    Console().print(predictions_table(rows))
    counts = Counter(row["flag"] for row in rows)
    message = f"{len(rows)} images: {counts[Flag.OK]} measured, {counts[Flag.CHECK]} measured but to be checked, "
    message += f"{counts[Flag.NO_HEAD]} without a head, {counts[Flag.ERROR]} unreadable"
    logger.info(message)
    if without := unscaled(rows):
        logger.warning(
            "no pixel size is known for %s: results in pixels; give pixel_size_mm or pixel_size_csv",
            enumerate_names(without),
        )
    for row in (row for row in rows if row["flag"] == Flag.ERROR):
        logger.error("not read: %s", "; ".join(row["reasons"]))
    for problem in problems:
        logger.error("no DICOM object: %s", problem)
    logger.info("runtime: %s\nresults: %s", "; ".join(map(str, used)), folder)
