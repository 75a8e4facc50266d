"""One image to measure, wherever it was read from: an image file, a DICOM file, a frame of a video."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from fetal_seg.config.registries import READERS
from fetal_seg.errors import InputError
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.spacing import Region, Spacing

FALLBACK = "picture"  # reads what no other reader accepts


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Frame:
    """An image as it was read.

    Attributes:
        file: its file's name as tables show it: the path below the input's folder, with ``/``.
        number: which frame of a video or of a multi-frame DICOM it is, from 0; None for a single image.
        image: grey values (height, width), 0 to 255.
        spacing: the size of a pixel wherever no region says otherwise; None where the file does not tell it.
        notes: what a person who reads the result should know of the file, each a short phrase.
        regions: the parts of the image that have a size of their own.
    """

    file: str
    number: int | None
    image: Grey
    spacing: Spacing | None = None
    notes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()

    def spacing_at(self, x: float, y: float) -> Spacing | None:
        """The size of a pixel at a point of the image (px): that of the smallest region that holds it, if any does."""
        around = [region for region in self.regions if region.holds(x, y)]
        return min(around, key=lambda region: region.area).spacing if around else self.spacing


class Reader(Protocol):
    """What reads files of one kind; a class of ``fetal_seg.images.readers`` that is registered in `READERS`.

    Attributes:
        suffixes: by which a folder's search knows such files, in lower case and with the point; of no other reader.
    """

    suffixes: tuple[str, ...]

    def accepts(self, path: Path) -> bool:
        """Whether a file is of this kind, by its suffix or its first bytes.

        Raises:
            OSError: it cannot be opened.
        """
        ...

    def read(self, path: Path, name: str, every: int) -> Iterator[Frame]:
        """As `read_frames`, of a file that is there."""
        ...


@cache
def readers() -> tuple[Reader, ...]:
    """All readers, in the order of their modules, that of `FALLBACK` last."""
    names = sorted(READERS.names(), key=lambda name: name == FALLBACK)
    return tuple(READERS[name]() for name in names)


def first_frame(frames: Iterator[Frame]) -> Frame:
    """The first frame of a file, with a note where there may be others.

    Raises:
        InputError: as `read_frames`.
    """
    frame = next(frames)
    return frame if frame.number is None else replace(frame, notes=(*frame.notes, "only the first frame was read"))


def read_frames(path: Path, name: str, every: int = 1) -> Iterator[Frame]:
    """Every `every`-th frame of a video or a multi-frame DICOM file, or the one image that any other file holds.

    The first reader that accepts the file reads it: DICOM is known by its mark, or by its suffix where that is
    missing, videos by their suffix; all else is left to Pillow. A frame is decoded when it is asked for, so that
    memory does not grow with the length of a file.

    Args:
        every: 1 for all frames, 2 for every other, and so on.

    Raises:
        InputError: the file is missing, damaged or of another kind, when that is found: frames may come before it.
    """
    if every < 1:
        raise InputError(f"every {every}-th frame is asked for; the step must be 1 or more; correct it")
    *others, fallback = readers()
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for without end
            raise InputError(
                f"{path} cannot be read: it is no regular file, but a folder, a pipe or a device; leave it out"
            )
        reader = next((reader for reader in others if reader.accepts(path)), fallback)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the name") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check it and its permissions") from error
    yield from reader.read(path, name, every)
