"""From image files to rows, masks and overlays: each core takes an image through all of it, beside the others."""

import itertools
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.commands.predict.input_list import InputFile, InputList
from fetal_seg.commands.predict.journal import Journal
from fetal_seg.commands.predict.output_stems import output_stems, short_stem
from fetal_seg.config.types import PictureFormat
from fetal_seg.errors import InputError
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import printable
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.decoding import Request
from fetal_seg.images.drawing import Picture, overlay
from fetal_seg.images.grey import read_grey, write_image, write_mask
from fetal_seg.images.reader import Frame, read_frames
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Flag, Prediction
from fetal_seg.progress import track
from fetal_seg.report import pictures
from fetal_seg.report.prediction.submission import row_ellipse

WORKERS = min(os.cpu_count() or 1, 16)  # images, or batches on a GPU, that are measured at once
AHEAD, MOST_AHEAD = 24, 64 << 20  # files that are read before they are asked for, and their bytes
FIRST = 8  # frames of each that are read so; those after them are read one by one


@dataclass(frozen=True)
class PredictionOptions:
    """How to measure the inputs.

    Attributes:
        size_source: where the inputs' pixel sizes are from, ``given`` or ``csv``; they go before what a file says.
        every: take every n-th frame of videos and multi-frame files.
        overlays: draw each image with its ellipse.
        picture_format: of overlays and contact sheets, the suffix of their files.
        gestational_age_weeks: known from elsewhere; the same for all images.
    """

    size_source: str = "given"
    every: int = 1
    overlays: bool = True
    picture_format: PictureFormat = "jpg"
    gestational_age_weeks: float | None = None

    def spacing(self, file: InputFile) -> Spacing | None:
        """The size of an input's pixels, where it is given."""
        size = file.pixel_size_mm
        return None if size is None else Spacing(size, size, self.size_source)


@dataclass(frozen=True)
class Work:
    """A file to measure, and the path of its results without a suffix."""

    file: InputFile
    stem: str


Read = Frame | InputError
Finished = tuple[Row, Picture | None]


def measure_files(
    folder: Path,
    predictor: Predictor,
    inputs: Collection[InputFile],
    options: PredictionOptions,
    journal: Journal,
    sheet: pictures.ContactSheet,
    decoders: Decoders,
) -> None:
    """Measure what has no row yet; write masks and overlays into `folder`, and rows into the journal, in order.

    Files that cannot be read get a row that says why, also those that make their decoder crash.

    Raises:
        OSError: a result cannot be written; every file and row that is there is whole.
    """

    def measure(batch: list[tuple[Work, Read]]) -> list[Finished]:
        images = [read.image for _, read in batch if isinstance(read, Frame)]
        predictions = iter(predictor.predict(images) if images else [])
        return [
            _finish(folder, work, read, next(predictions), predictor, options, draws=not sheet.is_full)
            if isinstance(read, Frame)
            else _unread(work.file.name, read)
            for work, read in batch
        ]

    with ThreadPoolExecutor(WORKERS) as pool, ThreadPoolExecutor(len(decoders)) as reading:  # which waits for decoders
        waiting: deque[Future[list[Finished]]] = deque()
        for batch in _batches(_frames(inputs, options.every, journal, reading, decoders), predictor.batch):
            waiting.append(pool.submit(measure, batch))
            while len(waiting) > 2 * WORKERS:
                _add(waiting.popleft().result(), journal, sheet)
        for measured in waiting:
            _add(measured.result(), journal, sheet)


def state_of(file: Path) -> str:
    """What tells whether a file is still the one that was measured: its size and when it was changed."""
    try:
        status = file.stat()
    except OSError:  # it is gone by now
        return "gone"
    return f"{status.st_size}-{status.st_mtime_ns}"


def is_current(row: Row, file: InputFile | None) -> bool:
    """Whether a row of an earlier run is of the file as it is now, with the pixel size that it has now."""
    if file is None or not file.path.is_file() or row.get("source") != state_of(file.path):
        return False
    if file.pixel_size_mm is None:
        return row.get("pixel_size_source") not in ("given", "csv")
    return bool(row.get("pixel_size_mm") == file.pixel_size_mm)


def panels(folder: Path, rows: Iterable[Row], inputs: InputList, every: int) -> Iterator[pictures.Panel]:
    """Images that were measured before, with their results: read again from the inputs and the masks."""
    by_file = itertools.groupby((row for row in rows if row["flag"] != Flag.ERROR), key=lambda row: row["file"])
    for name, rows_of_file in by_file:
        if (file := inputs.get(name)) is None:
            continue
        row_of = {row.get("frame"): row for row in rows_of_file}
        try:
            for frame in read_frames(file.path, name, every):
                if frame.number in row_of:
                    yield _panel(folder, frame, row_of[frame.number])
        except InputError:  # a video that breaks off, or a file that is gone by now
            continue


def _frames(
    inputs: Collection[InputFile], every: int, journal: Journal, pool: ThreadPoolExecutor, decoders: Decoders
) -> Iterator[tuple[Work, Read]]:
    """The frames of all inputs that have no row, or why there are none; files are read ahead."""
    left = _left(inputs, journal)
    ahead: deque[tuple[Work, set[int | None], Future[list[Read]]]] = deque()
    while True:
        while _may_read([future for *_, future in ahead]) and (following := next(left, None)) is not None:
            request = Request(following[0].file.path, following[0].file.name, every, most=FIRST)
            ahead.append((*following, pool.submit(lambda asked: list(_caught(decoders.frames(asked))), request)))
        if not ahead:
            return
        work, done, future = ahead.popleft()
        file, frames = work.file, iter(first := future.result())
        if len(first) == FIRST and isinstance(first[-1], Frame):
            frames = itertools.chain(first, _caught(decoders.frames(Request(file.path, file.name, every, FIRST))))
        for frame in frames:
            if isinstance(frame, InputError) or frame.number not in done:
                yield work, frame


def _left(inputs: Collection[InputFile], journal: Journal) -> Iterator[tuple[Work, set[int | None]]]:
    """The inputs that are no single image with a row, and which of their frames have one."""
    named = zip(inputs, output_stems(file.name for file in inputs), strict=True)
    for file, stem in track(named, "measuring", len(inputs)):
        if None not in (done := journal.frames_of(file.name)):
            yield Work(file, stem), done


def _may_read(ahead: Sequence[Future[list[Read]]]) -> bool:
    """Whether one more file is to be read ahead: there are not too many, or too large ones, already."""
    read = [future.result() for future in ahead if future.done()]
    size = sum(frame.image.nbytes for frames in read for frame in frames if isinstance(frame, Frame))
    return not ahead or (len(ahead) < AHEAD and len(ahead) - len(read) < 2 * WORKERS and size < MOST_AHEAD)


def _caught(frames: Iterator[Frame]) -> Iterator[Read]:
    """Frames, and at the end the error that ended them, if one did."""
    try:
        yield from frames
    except InputError as error:
        yield error


def _batches(frames: Iterator[tuple[Work, Read]], size: int) -> Iterator[list[tuple[Work, Read]]]:
    while batch := list(itertools.islice(frames, size)):
        yield batch


def _add(finished: list[Finished], journal: Journal, sheet: pictures.ContactSheet) -> None:
    journal.add([row for row, _ in finished])
    for _, thumbnail in finished:
        if thumbnail is not None:
            sheet.add(thumbnail)


def _finish(
    folder: Path,
    work: Work,
    frame: Frame,
    prediction: Prediction,
    predictor: Predictor,
    options: PredictionOptions,
    *,
    draws: bool,
) -> Finished:
    """Measure, draw and write one image; its row, and a thumbnail for the contact sheet if that `draws` one."""
    measurement = predictor.measurement(frame, prediction, options.spacing(work.file), options.gestational_age_weeks)
    # Frames have a folder of their file's whole name: no other input can be called so
    name = work.stem if frame.number is None else f"{short_stem(frame.file)}/{frame.number:05d}"
    row: Row = {"file": frame.file, **measurement.row(), "frame": frame.number, "mask": f"masks/{name}.png"}
    row["source"] = state_of(work.file.path)
    caption = pictures.prediction_caption(row)
    write_mask(folder / row["mask"], measurement.mask)
    if options.overlays:
        row["overlay"] = f"overlays/{name}.{options.picture_format}"
        picture = overlay(
            frame.image, mask=measurement.mask, prediction=measurement.ellipse, caption=caption, axes=True
        )
        write_image(folder / row["overlay"], picture)
    if not draws:
        return row, None
    panel = pictures.Panel(frame.image, caption, mask=measurement.mask, prediction=measurement.ellipse)
    return row, pictures.ContactSheet.thumbnail(panel)


def _unread(name: str, error: InputError) -> Finished:
    return {"file": name, "flag": Flag.ERROR, "reasons": [printable(str(error))], "frame": None}, None


def _panel(folder: Path, frame: Frame, row: Row) -> pictures.Panel:
    mask = read_grey(folder / row["mask"])
    return pictures.Panel(frame.image, pictures.prediction_caption(row), mask=mask, prediction=row_ellipse(row))
