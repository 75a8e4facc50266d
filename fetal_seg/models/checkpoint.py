"""Checkpoints that describe themselves in plain data and cannot run code."""

import pickle
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from fetal_seg.config.choices import Choice
from fetal_seg.config.plain_data import wrong_entries
from fetal_seg.errors import InputError
from fetal_seg.files import whole_file
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.building import build_network
from fetal_seg.models.description import FORMATS, CheckpointDescription
from fetal_seg.models.weights import SUFFIX, locate, read_weights

KEY = "fetal_seg"  # where a Lightning checkpoint holds our description
PREFIX = "network."  # of the network's tensors in the Lightning module's state


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        path: its file.
        description: what it says of itself.
        state: the network's tensors by name; the averaged ones where weights were averaged.
        format: of its file, one of `FORMATS`.
    """

    path: Path
    description: CheckpointDescription
    state: dict[str, Tensor]
    format: int

    def build_network(self) -> nn.Module:
        """The trained network, in evaluation mode.

        Raises:
            InputError: the tensors do not fit the network that the checkpoint describes.
        """
        network = build_network(_without_download(self.description.network))
        try:
            network.load_state_dict(self.state)
        except RuntimeError as error:
            raise InputError(f"{self.path}: its weights do not fit its own description ({error})") from error
        return network.eval()


def read_checkpoint(name: str | Path) -> Checkpoint:
    """Read a checkpoint without running any code that it may hold.

    Args:
        name: a file of a training, a ``.safetensors`` file with its description beside it, or ``pretrained``
            for the pretrained weights.

    Raises:
        InputError: it is missing, no checkpoint, not one of this project's, or holds more than plain data.
    """
    path = locate(name)
    if not path.is_file():
        raise InputError(
            f"ckpt={path}: there is no such file; give a checkpoint such as RUN/checkpoints/best.ckpt, or pretrained"
        )
    if path.suffix == SUFFIX:
        state, description = read_weights(path)
        return Checkpoint(path, _described(path, description), state, description["format"])
    content = _read_lightning(path)
    state = {
        name.removeprefix(PREFIX): value for name, value in content["state_dict"].items() if name.startswith(PREFIX)
    }
    return Checkpoint(path, _described(path, content[KEY]), state, content[KEY]["format"])


def _described(path: Path, content: dict[str, Any]) -> CheckpointDescription:
    if content.get("format") not in FORMATS:
        raise InputError(
            f"ckpt={path} has format {content.get('format')}, this version reads {FORMATS[0]} to {FORMATS[-1]}; "
            f"use fetal_seg {content.get('version')}"
        )
    try:
        return CheckpointDescription.from_dict(content)
    except ValidationError as error:
        raise InputError(f"ckpt={path}: {wrong_entries(error)}; take a checkpoint of a training") from error


def _read_lightning(path: Path) -> dict[str, Any]:
    """All that a checkpoint of train.py holds; its description is there, but not checked."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:  # its checksums, which PyTorch's reader leaves alone
                if damaged := archive.testzip():
                    raise InputError(f"ckpt={path} is damaged ({damaged}); take a copy that is whole, or train again")
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            f"ckpt={path} is no checkpoint, or holds code beside its weights, and was not loaded; "
            "take one of a training"
        ) from error
    except Exception as error:  # damage makes the reader raise whatever comes
        raise InputError(f"ckpt={path} is no checkpoint, or is cut off; take one of a training") from error
    description = content.get(KEY) if isinstance(content, dict) else None
    if not isinstance(description, dict) or "state_dict" not in content:
        raise InputError(f"ckpt={path} is a checkpoint of another program; take one of a training")
    return content


def add_calibration(path: Path, calibration: Calibration) -> None:
    """Put what held-out images taught into a checkpoint of a training; the file is replaced whole."""
    content = _read_lightning(path)
    content[KEY] = replace(_described(path, content[KEY]), calibration=calibration).to_dict()
    with whole_file(path) as temporary:
        torch.save(content, temporary)


def _without_download(network: Choice) -> Choice:
    """Trained weights replace any that the network would start from."""
    return replace(network, keys={**network.keys, "weights": "none"}) if "weights" in network.keys else network
