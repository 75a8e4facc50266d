"""Checkpoints that describe themselves in plain data and cannot run code."""

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fetal_seg.errors import InputError
from fetal_seg.files import whole_file
from fetal_seg.models.registry import build_network
from fetal_seg.models.weights import SUFFIX, locate, read_weights
from fetal_seg.version import __version__

KEY = "fetal_seg"  # where a Lightning checkpoint holds our description
FORMAT = 1
PREFIX = "network."  # of the network's tensors in the Lightning module's state

Description = dict[str, Any]


def describe(network: Description, preprocessing: Description, data: Description, split: Description) -> Description:
    """What a checkpoint says of itself: nested dicts of numbers, strings and lists.

    Args:
        network: name and keys, as ``build_network`` takes them.
        preprocessing: height, width, mean and std.
        data: the source's keys and the data's fingerprint.
        split: file names of the training and the validation part.
    """
    return {
        "format": FORMAT,
        "version": __version__,
        "network": network,
        "preprocessing": preprocessing,
        "classes": ["head"],
        "data": data,
        "split": split,
    }


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        path: its file.
        description: what it says of itself, see ``describe``.
        state: the network's tensors by name; the averaged ones where weights were averaged.
    """

    path: Path
    description: Description
    state: dict[str, Tensor]

    def build_network(self) -> nn.Module:
        """The trained network, in evaluation mode.

        Raises:
            InputError: the tensors do not fit the network that the checkpoint describes.
        """
        network = build_network(_without_download(self.description["network"]))
        try:
            network.load_state_dict(self.state)
        except RuntimeError as error:
            raise InputError(f"{self.path}: its weights do not fit its own description ({error})") from error
        return network.eval()


def read_checkpoint(name: str | Path) -> Checkpoint:
    """Read a checkpoint without running any code that it may hold.

    Args:
        name: a file that train.py wrote, a ``.safetensors`` file with its description beside it, or ``pretrained``
            for the network in the box.

    Raises:
        InputError: it is missing, no checkpoint, not one of this project's, or holds more than plain data.
    """
    path = locate(name)
    if not path.is_file():
        raise InputError(
            f"ckpt={path}: there is no such file; give a checkpoint such as RUN/checkpoints/best.ckpt, or pretrained"
        )
    state, description = read_weights(path) if path.suffix == SUFFIX else _read_lightning(path)
    if description.get("format") != FORMAT:
        raise InputError(
            f"ckpt={path} has format {description.get('format')}, this version reads {FORMAT}; "
            f"use fetal_seg {description.get('version')}"
        )
    return Checkpoint(path, description, state)


def _read_lightning(path: Path) -> tuple[dict[str, Tensor], Description]:
    """The network's tensors, and the description, of a checkpoint that train.py wrote."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"ckpt={path} is no checkpoint, or holds code beside its weights, and was not loaded; "
            "take one that train.py wrote"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"ckpt={path} is no checkpoint, or is cut off; take one that train.py wrote") from error
    description = content.get(KEY) if isinstance(content, dict) else None
    if not isinstance(description, dict) or "state_dict" not in content:
        raise InputError(f"ckpt={path} is a checkpoint of another program; take one that train.py wrote")
    state = {
        name.removeprefix(PREFIX): value for name, value in content["state_dict"].items() if name.startswith(PREFIX)
    }
    return state, description


def add_calibration(path: Path, calibration: Description) -> None:
    """Put what held-out images taught into a checkpoint's description; the file is replaced whole.

    Args:
        path: a checkpoint that train.py wrote.
        calibration: plain data, see ``fetal_seg.calibration``.
    """
    read_checkpoint(path)
    content = torch.load(path, map_location="cpu", weights_only=True)
    content[KEY]["calibration"] = calibration
    with whole_file(path) as temporary:
        torch.save(content, temporary)


def _without_download(network: Description) -> Description:
    """Trained weights replace any that the network would start from."""
    return {**network, "weights": "none"} if "weights" in network else network
