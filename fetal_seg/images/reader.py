"""One image to measure, wherever it was read from: an image file, a DICOM file, a frame of a video."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.errors import InputError
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.spacing import Region, Spacing
from fetal_seg.images.dicom import DICOM_SUFFIXES, is_dicom, read_dicom
from fetal_seg.images.grey import read_first_page
from fetal_seg.images.video import VIDEO_SUFFIXES, read_video

__all__ = ["Frame", "Region", "Spacing", "read_frames"]


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


def is_dicom_file(path: Path) -> bool:
    """Whether a file is read as DICOM: by its mark, or by its suffix where that is missing.

    Raises:
        OSError: it cannot be opened.
    """
    return is_dicom(path) or path.suffix.lower() in DICOM_SUFFIXES


def read_frames(path: Path, name: str, every: int = 1) -> Iterator[Frame]:
    """Every `every`-th frame of a video or a multi-frame DICOM file, or the one image that any other file holds.

    DICOM is known by its mark, or by its suffix where that is missing, videos by their suffix; all else is left to
    Pillow. A frame is decoded when it is asked for, so that memory does not grow with the length of a file.

    Args:
        path: the file.
        name: what to call it in tables.
        every: 1 for all frames, 2 for every other, and so on.

    Raises:
        InputError: the file is missing, damaged or of another kind, when that is found: frames may come before it.
    """
    if every < 1:
        raise InputError(f"every {every}-th frame is asked for; the step must be 1 or more; correct it")
    try:
        holds_dicom = is_dicom_file(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the name") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check it and its permissions") from error
    suffix = path.suffix.lower()
    if holds_dicom:
        for number, image, known in read_dicom(path, every):
            yield Frame(name, number, image, known.spacing, known.notes, known.regions)
    elif suffix in VIDEO_SUFFIXES:
        for frame, image in read_video(path, every):
            yield Frame(name, frame, image)
    else:
        image, is_alone = read_first_page(path)
        yield Frame(name, None, image, notes=() if is_alone else ("only the first of several pages was read",))
