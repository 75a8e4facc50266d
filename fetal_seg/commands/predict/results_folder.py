"""A prediction's folder of results: what is measured, and what is made of all rows at the end."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fetal_seg.commands.predict.input_list import InputList
from fetal_seg.commands.predict.journal import Journal
from fetal_seg.commands.predict.output_stems import output_stems
from fetal_seg.commands.predict.pipeline import PredictionOptions, is_current, measure_files, panels
from fetal_seg.config.extras import REMEDY, is_installed
from fetal_seg.errors import InputError
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import remove_partial_files
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.grey import read_grey
from fetal_seg.images.readers.dicom import is_dicom_file
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Flag
from fetal_seg.report import pictures
from fetal_seg.report.prediction.tables import PARQUET, write_tables
from fetal_seg.report.prediction.totals import Totals

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
        parquet: ``predictions.parquet`` beside the CSV.
        page_rows: rows that the page shows at most.
        contact_sheets: pages of contact sheets at most.
        is_shard: of an input that others measure too: it may have no file at all, and none that can be read.
    """

    submission: bool = False
    dicom: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    resume: bool = False
    command: str = ""
    parquet: bool = False
    page_rows: int | None = None
    contact_sheets: int | None = None
    is_shard: bool = False


def predict_to(
    folder: Path,
    predictor: Predictor,
    inputs: InputList,
    options: PredictionOptions,
    output: OutputOptions,
    decoders: Decoders,
) -> None:
    """Measure files, write the results into `folder`, print a table.

    Raises:
        InputError: no file could be read, `folder` cannot be written, or the submission cannot be made.
    """
    try:
        journal = Journal(
            folder,
            output.settings,
            resume=output.resume,
            used=predictor.used,
            is_current=lambda row: is_current(row, inputs.get(row["file"])),
            position=inputs.position,
        )
        if journal.earlier and not output.resume:
            logger.warning(
                "%s holds %d rows of an earlier prediction, which are replaced; predict.resume=true would keep them",
                folder,
                journal.earlier,
            )
        for kind in ("masks", "overlays", "dicom"):
            remove_partial_files(folder / kind)
        sheet = pictures.ContactSheet(folder, options.picture_format, most_pages=output.contact_sheets)
        goes_on = len(journal.rows) > 0  # then the sheet is drawn at the end: measuring does not wait for it
        while_measuring = pictures.ContactSheet(folder, most_pages=0) if goes_on else sheet
        measure_files(folder, predictor, inputs, options, journal, while_measuring, decoders)
        if not output.is_shard:
            _check_readable(journal)
        if goes_on:
            _draw(sheet, folder, journal, inputs, options.every)
        sheet.finish()
        _remove_stale(folder, journal)
        totals = _conclude(folder, journal, options, output)
        journal.finish()
        problems = _write_dicom(folder, journal.rows, inputs, output.dicom) if output.dicom else []
        _report(journal, totals, problems, folder)
        _tell_of_sheet(sheet, totals)
        if output.submission:
            from fetal_seg.report.prediction.submission import write_submission

            write_submission(folder / "submission.csv", journal.rows)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); what is there is whole: make room or permit "
            "it, and go on with predict.resume=true and the same output"
        ) from error


def _draw(sheet: pictures.ContactSheet, folder: Path, journal: Journal, inputs: InputList, every: int) -> None:
    """Put images that are measured on the contact sheet, in order, as far as there are places."""
    shown = panels(folder, journal.rows, inputs, every)
    while not sheet.is_full and (panel := next(shown, None)) is not None:
        sheet.add(sheet.thumbnail(panel))


def _check_readable(journal: Journal) -> None:
    if all(row["flag"] == Flag.ERROR for row in journal.rows):
        reasons = dict.fromkeys(str(row["reasons"][0]) for row in islice(journal.rows, 3))
        journal.discard()
        raise InputError("; ".join(reasons))


def _conclude(folder: Path, journal: Journal, options: PredictionOptions, output: OutputOptions) -> Totals:
    from fetal_seg.report.prediction.page import write_page

    rows = journal.rows
    totals = Totals.of(rows)
    write_tables(folder, rows, parquet=output.parquet)
    write_page(
        folder / "report.html",
        rows,
        totals,
        checkpoint=", ".join(output.settings.get("ckpt", [])),
        runtime="; ".join(map(str, journal.used)),
        command=output.command,
        growth_chart=_growth_chart(folder, rows) if options.gestational_age_weeks is not None else None,
        most=output.page_rows,
    )
    return totals


def _remove_stale(folder: Path, journal: Journal) -> None:
    """Remove what an earlier run into the same folder left and these rows do not name; nothing else that is there."""
    for name in journal.stale_pictures():
        (folder / name).unlink(missing_ok=True)
    if not journal.earlier:
        return
    for name in ("growth_chart.png", "submission.csv", PARQUET):
        (folder / name).unlink(missing_ok=True)
    for path in folder.glob("dicom/**/*.dcm"):
        path.unlink(missing_ok=True)


def _growth_chart(folder: Path, rows: Iterable[Row]) -> Path | None:
    """The file of the chart; None where nothing here draws it."""
    if not is_installed("matplotlib"):
        logger.warning("no growth chart: matplotlib, which draws it, is not installed; %s", REMEDY)
        return None
    from fetal_seg.report.prediction.growth_chart import draw_growth_chart

    measured = [(row["gestational_age_weeks"], row["hc_mm"]) for row in rows if row.get("hc_mm") is not None]
    draw_growth_chart(measured, folder / "growth_chart.png")
    return folder / "growth_chart.png"


def _write_dicom(folder: Path, rows: Iterable[Row], inputs: InputList, kinds: Sequence[str]) -> list[str]:
    """DICOM objects of each DICOM input of which a head was measured; why some could not be made."""
    by_file = groupby(rows, key=lambda row: row["file"])
    name, group = next(by_file, (None, None))
    problems = []
    for file, stem in zip(inputs, output_stems(file.name for file in inputs), strict=True):
        if file.name != name or group is None:
            continue
        measured = [row for row in group if row["flag"] in (Flag.OK, Flag.CHECK)]
        if measured and is_dicom_file(file.path):
            try:
                _write_objects(folder, folder / "dicom" / stem, file.path, measured, kinds)
            except (InputError, ValueError) as error:
                problems.append(f"{name}: {error}")
        name, group = next(by_file, (None, None))
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


def _report(journal: Journal, totals: Totals, problems: Sequence[str], folder: Path) -> None:
    from fetal_seg.report.terminal import predictions_table

    Console().print(predictions_table(journal.rows))
    logger.info(totals.sentence)
    if totals.unscaled:
        logger.warning(
            "no pixel size is known for %s: results in pixels; give pixel_size_mm or pixel_size_csv",
            totals.unscaled_names,
        )
    for row in (row for row in journal.rows if row["flag"] == Flag.ERROR):
        logger.error("not read: %s", "; ".join(row["reasons"]))
    for problem in problems:
        logger.error("no DICOM object: %s", problem)
    logger.info("runtime: %s\nresults: %s", "; ".join(map(str, journal.used)), folder)


def _tell_of_sheet(sheet: pictures.ContactSheet, totals: Totals) -> None:
    if sheet.is_full and sheet.shown < (count := totals.count - totals.flags[Flag.ERROR]):
        pages = -(-count // sheet.per_page)
        logger.info(
            "contact sheets: the first %d of %d images; predict.contact_sheets=%d shows all", sheet.shown, count, pages
        )
