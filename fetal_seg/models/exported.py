"""What an exported network says of itself, and the seal that tells whether its file is whole. Needs no PyTorch.

The description is that of the checkpoint, as JSON, with an entry ``export`` beside its others. The seal is the SHA-256
of the files' bytes, in which the seal itself counts as zeros.
"""

import hashlib
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import PlainData, wrong_entries
from fetal_seg.config.types import ExportFormat, ExportPrecision
from fetal_seg.errors import InputError
from fetal_seg.models.description import FORMATS, CheckpointDescription

SUFFIXES: dict[str, ExportFormat] = {".onnx": "onnx", ".xml": "openvino"}
ENTRY, SEAL_ENTRY = "fetal_seg", "fetal_seg_seal"  # of the file's metadata
INPUT = "images"  # (n, height, width) uint8, 0 to 255, at the network's size
_SEAL = re.compile(rb"seal-([0-9a-f]{64})")
UNSEALED = "seal-" + "0" * 64
_XML_ENTRY = re.compile(rb"<" + ENTRY.encode() + rb' value="([^"]*)"')
_ONNX_ENTRY = re.compile(
    re.escape(bytes([10, len(ENTRY)]) + ENTRY.encode()) + rb"\x12([\x80-\xff]*[\x00-\x7f])", re.DOTALL
)


@dataclass(frozen=True)
class ExportDescription(PlainData):
    """How a file was made.

    Attributes:
        format: of the file.
        precision: of its weights; with int8 it computes in whole numbers, else in float32.
        checkpoint_sha256: of the checkpoint's file.
    """

    format: ExportFormat
    precision: ExportPrecision
    checkpoint_sha256: str


def is_exported(path: Path) -> bool:
    """Whether a file's name says that it holds an exported network."""
    return path.suffix.lower() in SUFFIXES


def to_metadata(description: CheckpointDescription, export: ExportDescription) -> dict[str, str]:
    """What the file is to hold beside the network; not sealed yet."""
    content = description.to_dict() | {"export": export.to_dict()}
    return {ENTRY: json.dumps(content, ensure_ascii=True), SEAL_ENTRY: UNSEALED}


def metadata_of(contents: Sequence[bytes]) -> str:
    """The description in the files of an export whose seal was checked; empty where they hold none.

    It is looked for as it was written, so that no runtime is needed, and no graph is built, to read it.
    """
    if found := _XML_ENTRY.search(contents[0]):
        return html.unescape(found[1].decode())
    if (found := _ONNX_ENTRY.search(contents[0])) is None:
        return ""
    size, digits = 0, found[1]  # a number of protobuf: seven bits a byte, the lowest first
    for place, digit in enumerate(digits):
        size |= (digit & 127) << 7 * place
    return contents[0][found.end() : found.end() + size].decode(errors="replace")


def from_metadata(path: Path, text: str) -> tuple[CheckpointDescription, ExportDescription]:
    """What a file says of itself.

    Raises:
        InputError: it is of another version, or no description.
    """
    remedy = "export the checkpoint again"
    try:
        content: Any = json.loads(text)
    except ValueError as error:
        raise InputError(f"ckpt={path} holds no description that can be read ({error}); {remedy}") from error
    if not isinstance(content, dict) or content.get("format") not in FORMATS:
        raise InputError(f"ckpt={path} is of another version; {remedy}")
    try:
        return CheckpointDescription.from_dict(content), ExportDescription.from_dict(content.get("export", {}))
    except ValidationError as error:
        raise InputError(f"ckpt={path}: {wrong_entries(error)}; {remedy}") from error


def sealed(contents: Sequence[bytes]) -> list[bytes]:
    """The contents of the files of an export, the first of which holds `UNSEALED`, with their seal.

    Raises:
        ValueError: there is not exactly one place for it.
    """
    first, *others = contents
    if len(_SEAL.findall(first)) != 1:
        raise ValueError("an export has exactly one seal")
    digest = _digest(contents)
    return [_SEAL.sub(b"seal-" + digest.encode(), first), *others]


def check_seal(path: Path, contents: Sequence[bytes]) -> None:
    """See that the files of an export are as they were written.

    Raises:
        InputError: they are damaged, or of another program.
    """
    found = _SEAL.findall(contents[0])
    if len(found) != 1:
        raise InputError(f"ckpt={path} is no export of this program, or is cut off; export a checkpoint")
    if found[0].decode() != _digest(contents):
        raise InputError(f"ckpt={path} is damaged: its SHA-256 is not the one that it holds; copy or export it again")


def _digest(contents: Sequence[bytes]) -> str:
    first, *others = contents
    digest = hashlib.sha256(_SEAL.sub(UNSEALED.encode(), first))
    for content in others:
        digest.update(content)
    return digest.hexdigest()
