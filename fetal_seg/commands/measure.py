"""Measure images with the pretrained weights and show a table; no file is written."""

import csv
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from fetal_seg.commands.predict.input_list import InputFile
from fetal_seg.commands.predict.inputs import find_inputs, find_sizes
from fetal_seg.data.loading import cache_path
from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.evaluation.tables import PREDICTION_COLUMNS, Row, cells, unscaled
from fetal_seg.files import printable
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.decoding import Request
from fetal_seg.images.reader import first_frame
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Flag
from fetal_seg.progress import track
from fetal_seg.report.terminal import predictions_table

NO_FILES = ("mask", "overlay")  # columns of what is not written here


def run(files: Sequence[str], pixel_size_mm: float | None, *, as_csv: bool = False) -> None:
    """Measure files, and folders of them, and print a row a file.

    Args:
        files: as ``input`` of a prediction; of a video or several frames the first is measured.
        pixel_size_mm: of all of them; None for what a CSV beside them or a file itself says.
        as_csv: for a program instead of a person.

    Raises:
        InputError: there is no such file, or none of them can be read.
    """
    try:
        inputs = find_inputs(files, cache_path())
    except InputError as error:
        raise InputError(str(error).removeprefix("input=")) from error
    find_sizes(inputs, None, pixel_size_mm)
    source = "given" if pixel_size_mm else "csv"
    workers = min(len(inputs), os.cpu_count() or 1)
    with Decoders(count=workers) as decoders, ThreadPoolExecutor(workers) as pool:
        predictor = Predictor.load(threads=1)
        measured = pool.map(lambda file: _row(file, source, predictor, decoders), inputs)
        rows = list(track(measured, "measuring", len(inputs)))
    _show_csv(rows) if as_csv else _show(rows)
    if all(row["flag"] == Flag.ERROR for row in rows):
        raise InputError("; ".join(dict.fromkeys(str(row["reasons"][0]) for row in rows[:3])))


def _row(file: InputFile, size_source: str, predictor: Predictor, decoders: Decoders) -> Row:
    try:
        frame = first_frame(decoders.frames(Request(file.path, file.name, most=1)))
    except InputError as error:
        return {"file": file.name, "flag": Flag.ERROR, "reasons": [printable(str(error))]}
    size = file.pixel_size_mm
    spacing = None if size is None else Spacing(size, size, size_source)
    (prediction,) = predictor.predict([frame.image])
    return {"file": file.name, **predictor.measurement(frame, prediction, spacing).row()}


def _show_csv(rows: Sequence[Row]) -> None:
    columns = [column for column in PREDICTION_COLUMNS if column not in NO_FILES]
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells(rows))


def _show(rows: Sequence[Row]) -> None:
    console = Console()
    console.print(predictions_table(rows, most=len(rows)))
    console.print("For research use; not a medical device.", style="dim")
    if without := unscaled(rows):
        print(
            f"no pixel size is known for {enumerate_names(without)}: results in pixels; give --pixel-size MM, the side "
            "of a pixel in millimetres",
            file=sys.stderr,
        )
