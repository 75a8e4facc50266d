"""Trained weights as files that hold numbers alone: safetensors, beside a description in JSON; and the pretrained ones.

``NAME.safetensors`` holds the tensors, ``NAME.json`` what a checkpoint says of itself, and the file's SHA-256. The
pretrained ones lie in the package, in a wheel with their export as ``lite.onnx``, which needs no PyTorch.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetal_seg.errors import InputError
from fetal_seg.files import whole_file, write_text
from fetal_seg.models.description import CheckpointDescription

if TYPE_CHECKING:
    from torch import Tensor

PRETRAINED = "pretrained"  # what commands call the weights that the package carries
SUFFIX = ".safetensors"
_LITE = Path(__file__).parent / "pretrained" / f"lite{SUFFIX}"
PRETRAINED_EXPORT = _LITE.with_suffix(".onnx")


def locate(name: str | Path) -> Path:
    """The file of a checkpoint that a user named: a path, or ``pretrained``."""
    return _LITE if str(name) == PRETRAINED else Path(name).expanduser()


def digest_of(name: str | Path) -> str:
    """The SHA-256 of the description of weights, which holds that of their tensors, and their calibration."""
    return hashlib.sha256(locate(name).with_suffix(".json").read_bytes()).hexdigest()


def write_weights(path: Path, state: "dict[str, Tensor]", description: CheckpointDescription) -> None:
    """Write tensors and their description; both files whole, the description last.

    Weights of convolutions are rounded to float16: a half of the size, and 0.05 % of each weight at most.
    What is rounded so is what is shipped: measure it after reading it back.

    Args:
        path: of the tensors, ``NAME.safetensors``.
    """
    from safetensors.torch import save_file

    rounded = {name: _rounded(tensor) for name, tensor in state.items()}
    with whole_file(path) as temporary:
        save_file(rounded, temporary)
    content = description.to_dict() | {"sha256": _digest(path.read_bytes())}
    write_text(path.with_suffix(".json"), json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_weights(path: Path) -> "tuple[dict[str, Tensor], dict[str, Any]]":
    """Tensors, as float32, and the description that `write_weights` wrote, as it stands in the file.

    Raises:
        InputError: a file is missing or cannot be read, or the checksum is another.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    described = path.with_suffix(".json")
    for file in (path, described):
        if not file.is_file():
            raise InputError(f"ckpt={path}: {file} is missing; weights need both files, .safetensors and .json")
    try:
        description = json.loads(described.read_text(encoding="utf-8"))
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"ckpt={path}: {described.name} cannot be read ({error}); get both files again") from error
    if not isinstance(description, dict) or description.pop("sha256", None) != _digest(content):
        raise InputError(f"ckpt={path}: its SHA-256 is not the one in {described.name}; get both files again")
    try:
        state = load(content)
    except SafetensorError as error:
        raise InputError(f"ckpt={path} holds no tensors ({error}); get both files again") from error
    return {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in state.items()}, (
        description
    )


def _rounded(tensor: "Tensor") -> "Tensor":
    return (tensor.half() if tensor.ndim > 1 else tensor).contiguous()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
