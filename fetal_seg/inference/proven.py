"""The pretrained weights as exports that were proven, on this kind of processor, to measure as PyTorch does.

The user's cache folder has a folder for each runtime, version and kind of processor: ``exports/KEY/`` with the export
and ``proof.json``, or with the latter alone where the proof failed. ``commands.prove`` writes them.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import StrictFloat, StrictInt, StrictStr, ValidationError
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import PlainData
from fetal_seg.config.types import ExportFormat, RuntimeName
from fetal_seg.data.loading import cache_path
from fetal_seg.errors import InputError
from fetal_seg.files import check_writable
from fetal_seg.inference.exported import ExportedNetwork, read_exported
from fetal_seg.models.exported import SUFFIXES
from fetal_seg.models.processor import processor
from fetal_seg.models.runtimes import RUNTIMES, can_run, missing_packages, runtime_title
from fetal_seg.version import __version__

PROOF = "proof.json"


@dataclass(frozen=True)
class Proof(PlainData):
    """What a proof gave.

    Attributes:
        images: that were measured both ways.
        difference_percent: of their circumferences, the largest.
        refused: why it is no proof; empty where it is one.
    """

    images: StrictInt
    difference_percent: StrictFloat
    refused: StrictStr = ""

    def __str__(self) -> str:
        return f"the circumferences of {self.images} phantoms differ by {self.difference_percent:.1g} % at most"


def choices(runtime: RuntimeName) -> Iterator[ExportFormat]:
    """The formats that a runtime stands for, whose programs are installed, the fastest first.

    Raises:
        InputError: it is asked for by its name, and is not installed.
    """
    for file_format in RUNTIMES:
        if runtime not in ("auto", file_format):
            continue
        if can_run(file_format):
            yield file_format
        elif runtime != "auto":
            raise InputError(
                f"runtime={runtime} is not installed: pip install 'fetal_seg[{runtime}]', or take runtime=auto"
            )


def proof_folder(file_format: ExportFormat) -> Path:
    """Where the proof for a format and this kind of processor lies, or would lie."""
    from fetal_seg.models.weights import PRETRAINED, digest_of

    decides = [digest_of(PRETRAINED), runtime_title(file_format), __version__, processor().kind]
    return cache_path() / "exports" / hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:24]


def exported_file(file_format: ExportFormat, folder: Path) -> Path:
    """The export that the package carries beside the weights, if it carries one of that format; else the folder's."""
    from fetal_seg.models.weights import PRETRAINED, locate

    suffix = next(suffix for suffix, of in SUFFIXES.items() if of == file_format)
    packaged = locate(PRETRAINED).with_suffix(suffix)
    return packaged if packaged.is_file() else folder / f"{PRETRAINED}{suffix}"


def read_proof(folder: Path) -> Proof | None:
    """What a folder says; None where it says nothing that can be read."""
    try:
        return Proof.from_dict(json.loads((folder / PROOF).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def find_proven(file_format: ExportFormat) -> tuple[ExportedNetwork | None, str]:
    """The export that was proven for a format, and how well; or None, and why there is none."""
    folder, title = proof_folder(file_format), runtime_title(file_format)
    proof = read_proof(folder)
    if proof is None:
        return None, f"{title} {obstacle(file_format) or 'was not proven on this kind of CPU yet: predict.py does it'}"
    if proof.refused:
        return None, f"{title} did not pass on this kind of CPU: {proof.refused}; remove {folder} to try again"
    try:
        return read_exported(exported_file(file_format, folder)), f"proven on this kind of CPU: {proof}"
    except InputError as error:
        return None, str(error)


def obstacle(file_format: ExportFormat) -> str | None:
    """What keeps a proof from being made, as the end of a sentence; None where nothing does."""
    folder = proof_folder(file_format)
    missing = missing_packages(file_format, "f32")
    if exported_file(file_format, folder).is_file():  # then nothing is exported
        missing = [name for name in missing if name == "torch"]
    if missing:
        return f"cannot be proven without {', '.join(missing)}: pip install 'fetal_seg[{file_format}]'"
    try:
        check_writable(folder.parent)
    except OSError as error:
        return f"cannot be proven: {cache_path()} cannot be written ({error.strerror or error})"
    return None
