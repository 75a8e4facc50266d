"""Ultrasound images in DICOM files: their frames in grey, decoded one at a time, with the size of their pixels."""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.config.registries import READERS
from fetal_seg.errors import InputError, one_line
from fetal_seg.geometry.arrays import Grey
from fetal_seg.images.dicom_display import displayed_grey
from fetal_seg.images.dicom_spacing import FileSpacing, read_spacing
from fetal_seg.images.grey import check_size
from fetal_seg.images.reader import Frame

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

SUFFIXES = (".dcm", ".dicom", ".ima")
MAGIC, MAGIC_OFFSET = b"DICM", 128

SECONDARY_CAPTURES = ("", "OT", "SC")  # modalities of screen shots: they may show ultrasound


@READERS.register("dicom")
class DicomReader:
    """Reads single and multi-frame DICOM files by pydicom, with the size of their pixels."""

    suffixes = SUFFIXES

    def accepts(self, path: Path) -> bool:
        """As `is_dicom_file`."""
        return is_dicom_file(path)

    def read(self, path: Path, name: str, every: int) -> Iterator[Frame]:
        """Every `every`-th frame, decoded when it is asked for, as `displayed_grey` shows it.

        Raises:
            InputError: the file is missing, is no DICOM file, holds no image or none of ultrasound, cannot be
                decoded, or breaks off; the frames before the break are given first.
        """
        source = _open(path)
        spacing = source.spacing
        for number, image in _decoded(source, range(0, source.frames, every)):
            frame = number if source.frames > 1 else None
            yield Frame(name, frame, image, spacing.spacing, spacing.notes, spacing.regions)


def is_dicom_file(path: Path) -> bool:
    """Whether a file is read as DICOM: by its mark, or by its suffix where that is missing, as in old files.

    Raises:
        OSError: it cannot be opened.
    """
    return _has_mark(path) or path.suffix.lower() in SUFFIXES


@dataclass(frozen=True)
class _Source:
    """A file whose header was read: pydicom decodes its frames from `pixels`, the path or the whole data set."""

    path: Path
    header: "Dataset"
    syntax: "UID"
    pixels: "Path | Dataset"
    frames: int
    spacing: FileSpacing
    complete: int  # how many frames the file has bytes for, as far as that is known before decoding


def _has_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(MAGIC_OFFSET + len(MAGIC))[MAGIC_OFFSET:] == MAGIC


def _open(path: Path) -> _Source:
    """Read the header and check whether its image can be read.

    Raises:
        InputError: as `DicomReader.read`.
    """
    try:
        header, start = _read_header(path)
        modality = one_line(header.get("Modality") or "", 20).upper()
        if "Rows" not in header or "Columns" not in header or start is None:
            raise InputError(
                f"{path}: the DICOM file holds no image (modality {modality or 'unknown'}); an ultrasound image is "
                "needed; take another file"
            )
        if modality != "US" and modality not in SECONDARY_CAPTURES:
            raise InputError(f"{path}: modality {modality} is not ultrasound; it must be US; take another file")
        check_size(path, header.Columns, header.Rows)
        spacing = read_spacing(header)
        if modality != "US":
            spacing = replace(spacing, notes=(f"its modality is {modality or 'unknown'}, not US", *spacing.notes))
        return _source(path, header, start, spacing)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the name") from error
    except InputError:
        raise
    except Exception as error:  # a damaged header makes pydicom raise whatever comes
        raise InputError(
            f"{path}: the DICOM file cannot be read ({one_line(error)}); copy or export it again"
        ) from error


def _read_header(path: Path) -> tuple["Dataset", int | None]:
    """What stands before the pixels, and where the element of the pixels starts; None if there is none."""
    from pydicom import dcmread

    with path.open("rb") as file:
        header = dcmread(file, stop_before_pixels=True, force=True)
        start = file.tell()
        at_end = not file.read(1)
    if not (_has_mark(path) or "SOPClassUID" in header or "Rows" in header):
        raise InputError(f"{path}: it is no DICOM file; it must be one or have another suffix; export it again")
    return header, None if at_end and not _is_deflated(header) else start


def _source(path: Path, header: "Dataset", start: int, spacing: FileSpacing) -> _Source:
    from pydicom import dcmread

    frames = max(int(header.get("NumberOfFrames") or 1), 1)
    syntax = _transfer_syntax(path, header)
    if _is_deflated(header):  # there is no way to a frame but through all the bytes before it
        return _Source(path, header, syntax, dcmread(path), frames, spacing, frames)
    complete = frames if syntax.is_encapsulated else _complete_frames(path, header, syntax, start, frames)
    return _Source(path, header, syntax, path, frames, spacing, complete)


def _transfer_syntax(path: Path, header: "Dataset") -> "UID":
    """How the file is encoded; guessed, as pydicom does, where it does not say.

    Raises:
        InputError: nothing here can decode it.
    """
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    is_implicit, is_little = header.original_encoding
    guess = ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
    syntax = UID(header.file_meta.get("TransferSyntaxUID") or guess)
    try:
        can_decode = get_decoder(syntax).is_available
    except NotImplementedError:
        can_decode = False
    if not can_decode:
        raise InputError(
            f"{path}: nothing here decodes its transfer syntax ({syntax.name}); it must be uncompressed, RLE, JPEG, "
            "JPEG-LS or JPEG 2000; export it so, or a video as AVI or MP4; decoders of lossless JPEG and JPEG-LS "
            "come by pip install 'fetal_seg[dicom]'"
        )
    return syntax


def _is_deflated(header: "Dataset") -> bool:
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    return bool(header.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian)


def _complete_frames(path: Path, header: "Dataset", syntax: "UID", start: int, frames: int) -> int:
    """How many frames of uncompressed pixels the file has in full."""
    from pydicom.pixels.utils import get_expected_length

    with path.open("rb") as file:
        file.seek(start)
        lead = file.read(8 if syntax.is_implicit_VR else 12)  # tag, (VR,) length
    (length,) = struct.unpack("<L" if syntax.is_little_endian else ">L", lead[-4:])
    held = min(length, path.stat().st_size - start - len(lead))
    return min(frames, int(held * frames // get_expected_length(header)))


def _decoded(source: _Source, numbers: range) -> Iterator[tuple[int, Grey]]:
    from pydicom.pixels import iter_pixels

    whole = itertools.takewhile(lambda number: number < source.complete, numbers)
    arrays = iter_pixels(source.pixels, indices=whole, transfer_syntax_uid=source.syntax)
    for number in numbers:
        try:
            if number >= source.complete:
                raise ValueError(f"the pixel data is too short: it holds {source.complete} of {source.frames} frames")
            image = displayed_grey(next(arrays), source.header)
        except Exception as error:  # a damaged stream makes decoders raise whatever comes
            what = (
                f"frame {number} of {source.frames} (the first is 0) cannot be decoded; those before it were read"
                if number
                else "its pixels cannot be decoded"
            )
            raise InputError(f"{source.path}: {what} ({one_line(error)}); copy or export it again") from error
        yield number, image
    if source.complete < source.frames and all(number < source.complete for number in numbers):
        raise InputError(
            f"{source.path}: the pixel data is too short: it holds {source.complete} of {source.frames} frames; those "
            "asked for among them were read; copy or export it again"
        )
