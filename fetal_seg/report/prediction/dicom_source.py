"""The source of a DICOM object: what the object takes over from it, refers to, or cannot do without."""

import contextlib
import copy
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fetal_seg.errors import InputError
from fetal_seg.version import __version__

if TYPE_CHECKING:
    from pydicom import Dataset

PROGRAM = "fetal_seg"
LABEL = "fetal head"

_NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns")
_MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime"),
)
_FIRST_OF_PIXELS = 0x7FE00000  # the group of the pixel data


def import_highdicom() -> ModuleType:
    """The package that builds DICOM objects, an extra.

    Raises:
        InputError: it is not installed.
    """
    try:
        import highdicom
    except ImportError as error:
        raise InputError(
            "DICOM-SEG and DICOM-SR need the package highdicom; `pip install fetal_seg[dicom]` brings it"
        ) from error
    return highdicom


def read_header(source: "Dataset | Path") -> "Dataset":
    """The header of a DICOM file or dataset, on a copy without pixels and place in space.

    What the standard allows to be empty and the source does not have is empty.

    Raises:
        InputError: the file cannot be read, or it lacks what an object must take over.
    """
    import pydicom

    name = name_of(source)
    if isinstance(source, Path):
        try:
            source = pydicom.dcmread(source, stop_before_pixels=True)
        except OSError as error:
            raise InputError(f"{name}: the file cannot be read ({error.strerror}); check the name") from error
        except pydicom.errors.InvalidDicomError as error:
            raise InputError(f"{name}: it is no DICOM file; check the name") from error
    header = copy.deepcopy(source[:_FIRST_OF_PIXELS])
    lacking = [keyword for keyword in _NEEDED if not header.get(keyword)]
    if lacking:
        raise InputError(
            f"{name}: its header lacks {', '.join(lacking)}, without which nothing can refer to the image; "
            "export it again from where it was recorded"
        )
    for keyword in _MAY_BE_EMPTY:
        if header.get(keyword) is None:
            setattr(header, keyword, "")
    if header.PatientSex not in ("M", "F", "O"):  # what the standard knows
        header.PatientSex = ""
    header.Modality = header.get("Modality") or "US"
    if "FrameOfReferenceUID" in header:
        del header.FrameOfReferenceUID
    return header


def identity(hd: ModuleType, series_number: int) -> dict[str, Any]:
    """What makes an object one of its own, in a series of its own: arguments of each class of highdicom."""
    return {
        "series_instance_uid": hd.UID(),
        "series_number": series_number,
        "sop_instance_uid": hd.UID(),
        "instance_number": 1,
        "manufacturer": PROGRAM,
        "manufacturer_model_name": PROGRAM,
        "software_versions": __version__,
        "device_serial_number": __version__,
        "series_description": f"{LABEL}, {PROGRAM} {__version__}, for research use",
        "specific_character_set": "ISO_IR 192",  # UTF-8, whatever the source has
    }


def name_of(source: "Dataset | Path") -> str:
    """What a message calls the source."""
    return str(source) if isinstance(source, Path) else "the DICOM source"


@contextlib.contextmanager
def refusing(source: "Dataset | Path", kind: str) -> Iterator[None]:
    """Tell the user what keeps highdicom from writing an object of this kind; it checks the whole header."""
    try:
        yield
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name_of(source)}: no {kind} can be written for it ({error}); check its header") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep remarks on values that are copied as they are, such as names without a caret, from the terminal."""
    loggers = [logging.getLogger(name) for name in ("highdicom", "pydicom")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
