"""From image files to rows, masks and overlays: each core takes an image through all of it, beside the others."""

import hashlib
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fetal_seg.commands.predict.inputs import InputFile
from fetal_seg.commands.predict.journal import FrameKey, Journal
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
LONGEST_PART, LONGEST_PATH = 200, 1000  # bytes of the names of results
FIRST = 8  # frames of each that are read so; those after them are read one by one


@dataclass(frozen=True)
class PredictionOptions:
    """How to measure the inputs.

    Attributes:
        sizes: pixel sizes in mm by the inputs' names; they go before what a file says of itself.
        size_source: where they are from: ``given`` or ``csv``.
        every: take every n-th frame of videos and multi-frame files.
        overlays: draw each image with its ellipse.
        picture_format: of overlays and contact sheets, the suffix of their files.
        gestational_age_weeks: known from elsewhere; the same for all images.
    """

    sizes: dict[str, float] = field(default_factory=dict)
    size_source: str = "given"
    every: int = 1
    overlays: bool = True
    picture_format: PictureFormat = "jpg"
    gestational_age_weeks: float | None = None

    def spacing(self, name: str) -> Spacing | None:
        """The size of an input's pixels, where it is given."""
        size = self.sizes.get(name)
        return None if size is None else Spacing(size, size, self.size_source)


Read = Frame | InputError
Finished = tuple[Row, Picture | None]


def measure_files(
    folder: Path,
    predictor: Predictor,
    inputs: Sequence[InputFile],
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
    stems = output_stems([file.name for file in inputs])
    done, paths = journal.done(), {file.name: file.path for file in inputs}

    def measure(batch: list[tuple[str, Read]]) -> list[Finished]:
        images = [read.image for _, read in batch if isinstance(read, Frame)]
        predictions = iter(predictor.predict(images) if images else [])
        return [
            _finish(folder, stems[name], paths[name], read, next(predictions), predictor, options)
            if isinstance(read, Frame)
            else _unread(name, read)
            for name, read in batch
        ]

    with ThreadPoolExecutor(WORKERS) as pool, ThreadPoolExecutor(len(decoders)) as reading:  # which waits for decoders
        waiting: deque[Future[list[Finished]]] = deque()
        for batch in _batches(_frames(inputs, options.every, done, reading, decoders), predictor.batch):
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


def is_current(row: Row, inputs: Mapping[str, Path], sizes: Mapping[str, float]) -> bool:
    """Whether a row of an earlier run is of the file as it is now, with the pixel size that it has now."""
    path = inputs.get(row["file"])
    if path is None or not path.is_file() or row.get("source") != state_of(path):
        return False
    size = sizes.get(row["file"])
    if size is None:
        return row.get("pixel_size_source") not in ("given", "csv")
    return row.get("pixel_size_mm") == size


def output_stems(names: Sequence[str]) -> dict[str, str]:
    """For each input's name the path of its results without a suffix: its own, made unique where names differ
    in their suffix alone (``a.png`` and ``a.dcm`` give ``a`` and ``a.dcm``), and short enough for any file system."""
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem, whole = _short(str(PurePosixPath(name).with_suffix(""))), _short(name)
        candidates = itertools.chain([stem, whole], (f"{whole}_{number}" for number in itertools.count(2)))
        stems[name] = next(candidate for candidate in candidates if candidate.casefold() not in taken)
        taken.add(stems[name].casefold())
    return stems


def _short(stem: str) -> str:
    """A path without parts, or a whole, that file systems find too long once a suffix is added."""
    parts = [_cut(part, LONGEST_PART) for part in stem.split("/")]
    short = "/".join(parts)
    return short if len(short.encode()) <= LONGEST_PATH else _cut(stem.replace("/", "_"), LONGEST_PART)


def _cut(text: str, longest: int) -> str:
    """The begin of a text that has more bytes than `longest`, and a digest of all of it."""
    content = text.encode()
    if len(content) <= longest:
        return text
    return content[: longest - 18].decode(errors="ignore") + "~" + hashlib.blake2b(content, digest_size=8).hexdigest()


def panels(folder: Path, rows: Iterable[Row], inputs: Sequence[InputFile], every: int) -> Iterator[pictures.Panel]:
    """Images that were measured before, with their results: read again from the inputs and the masks."""
    paths = {file.name: file.path for file in inputs}
    by_file = itertools.groupby((row for row in rows if row["flag"] != Flag.ERROR), key=lambda row: row["file"])
    for name, rows_of_file in by_file:
        if name not in paths:
            continue
        row_of = {row.get("frame"): row for row in rows_of_file}
        try:
            for frame in read_frames(paths[name], name, every):
                if frame.number in row_of:
                    yield _panel(folder, frame, row_of[frame.number])
        except InputError:  # a video that breaks off, or a file that is gone by now
            continue


def _frames(
    inputs: Sequence[InputFile], every: int, done: set[FrameKey], pool: ThreadPoolExecutor, decoders: Decoders
) -> Iterator[tuple[str, Read]]:
    """The frames of all inputs that have no row, or why there are none; files are read ahead."""
    single = {name for name, frame in done if frame is None}
    left = iter([file for file in inputs if file.name not in single])
    ahead: deque[tuple[InputFile, Future[list[Read]]]] = deque()
    for _ in track(range(len(inputs) - len(single)), "measuring", len(inputs) - len(single)):
        while _may_read(ahead) and (following := next(left, None)) is not None:
            request = Request(following.path, following.name, every, most=FIRST)
            ahead.append((following, pool.submit(lambda asked: list(_caught(decoders.frames(asked))), request)))
        file, future = ahead.popleft()
        frames = iter(first := future.result())
        if len(first) == FIRST and isinstance(first[-1], Frame):
            frames = itertools.chain(first, _caught(decoders.frames(Request(file.path, file.name, every, FIRST))))
        for frame in frames:
            if isinstance(frame, InputError) or (file.name, frame.number) not in done:
                yield file.name, frame


def _may_read(ahead: Sequence[tuple[InputFile, Future[list[Read]]]]) -> bool:
    """Whether one more file is to be read ahead: there are not too many, or too large ones, already."""
    read = [future.result() for _, future in ahead if future.done()]
    size = sum(frame.image.nbytes for frames in read for frame in frames if isinstance(frame, Frame))
    return not ahead or (len(ahead) < AHEAD and len(ahead) - len(read) < 2 * WORKERS and size < MOST_AHEAD)


def _caught(frames: Iterator[Frame]) -> Iterator[Read]:
    """Frames, and at the end the error that ended them, if one did."""
    try:
        yield from frames
    except InputError as error:
        yield error


def _batches(frames: Iterator[tuple[str, Read]], size: int) -> Iterator[list[tuple[str, Read]]]:
    while batch := list(itertools.islice(frames, size)):
        yield batch


def _add(finished: list[Finished], journal: Journal, sheet: pictures.ContactSheet) -> None:
    journal.add([row for row, _ in finished])
    for _, thumbnail in finished:
        if thumbnail is not None:
            sheet.add(thumbnail)


def _finish(
    folder: Path,
    stem: str,
    source: Path,
    frame: Frame,
    prediction: Prediction,
    predictor: Predictor,
    options: PredictionOptions,
) -> Finished:
    """Measure, draw and write one image; its row, and a thumbnail for the contact sheet."""
    measurement = predictor.measurement(frame, prediction, options.spacing(frame.file), options.gestational_age_weeks)
    # Frames have a folder of their file's whole name: no other input can be called so
    name = stem if frame.number is None else f"{_short(frame.file)}/{frame.number:05d}"
    row: Row = {"file": frame.file, **measurement.row(), "frame": frame.number, "mask": f"masks/{name}.png"}
    row["source"] = state_of(source)
    caption = pictures.prediction_caption(row)
    write_mask(folder / row["mask"], measurement.mask)
    if options.overlays:
        row["overlay"] = f"overlays/{name}.{options.picture_format}"
        picture = overlay(
            frame.image, mask=measurement.mask, prediction=measurement.ellipse, caption=caption, axes=True
        )
        write_image(folder / row["overlay"], picture)
    panel = pictures.Panel(frame.image, caption, mask=measurement.mask, prediction=measurement.ellipse)
    return row, pictures.ContactSheet.thumbnail(panel)


def _unread(name: str, error: InputError) -> Finished:
    return {"file": name, "flag": Flag.ERROR, "reasons": [printable(str(error))], "frame": None}, None


def _panel(folder: Path, frame: Frame, row: Row) -> pictures.Panel:
    mask = read_grey(folder / row["mask"])
    return pictures.Panel(frame.image, pictures.prediction_caption(row), mask=mask, prediction=row_ellipse(row))
