"""The network that a training starts with: a new one, or a trained one that it is to refine."""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

from torch import nn

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.models.building import build_network
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.description import CheckpointDescription
from fetal_seg.models.preprocessing import Preprocessing

logger = logging.getLogger(__name__)

OURS = ("init", "compile")  # keys of conf/model that say how to train a network, not which one it is


def network_choice(model: dict[str, Any]) -> Choice:
    """What describes the network itself among the keys of ``conf/model``."""
    return Choice.from_dict({key: value for key, value in model.items() if key not in OURS})


def starting_checkpoint(model: dict[str, Any], default: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint that ``model.init`` names, None without one; it says which network is trained.

    Args:
        model: the keys of ``conf/model``.
        default: what they are where nobody chose anything.

    Raises:
        InputError: it cannot be read, or is of another network than the one chosen.
    """
    init = model.get("init")
    if init is None:
        return None
    checkpoint = read_checkpoint(init)
    wanted, trained = network_choice(model), checkpoint.description.network
    told = differences(trained.to_dict(), wanted.to_dict(), ignored=("weights",))
    if told and wanted != network_choice(default):
        raise InputError(f"model.init={init} is of another network ({told}); leave the other model keys out")
    return checkpoint


def first_network(checkpoint: Checkpoint | None, choice: Choice) -> nn.Module:
    """The checkpoint's trained network, or without one a new network, in training mode."""
    return checkpoint.build_network().train() if checkpoint else build_network(choice)


def differences(trained: dict[str, Any], wanted: dict[str, Any], ignored: Collection[str] = ()) -> str:
    """In which keys two networks differ, in words; empty where they do not."""
    keys = sorted((trained.keys() | wanted.keys()) - set(ignored))
    differing = [key for key in keys if trained.get(key) != wanted.get(key)]
    return ", ".join(f"{key} {trained.get(key)} instead of {wanted.get(key)}" for key in differing)


def warn_of_another_size(checkpoint: Checkpoint, preprocessing: Preprocessing) -> None:
    """Tell if a training shows its images at another size than the one before it did."""
    trained, size = ((each.height, each.width) for each in (checkpoint.description.preprocessing, preprocessing))
    if trained != size:
        logger.warning(
            "the network that this starts from was trained at %dx%d, and now sees images at %dx%d; "
            "to keep its size add data.height=%d data.width=%d",
            *trained,
            *size,
            *trained,
        )


def warn_of_seen_images(checkpoint: Checkpoint, fingerprint: str, validation: Collection[str]) -> None:
    """Tell if images that are to validate have trained the network before."""
    if checkpoint.description.data.fingerprint != fingerprint:
        return
    seen = len(set(checkpoint.description.split.train) & set(validation))
    if seen:
        logger.warning(
            "%d of %d validation images trained the network that this starts from, so that figures are too good; "
            "take its split: data.split=examination data.split_seed=0, or its split.json as data.split_file",
            seen,
            len(validation),
        )


def checkpoint_to_resume(asked: str | None, run_dir: Path, description: CheckpointDescription) -> str | None:
    """The checkpoint that a run goes on from; ``last`` is the run's own, if there is one yet.

    Args:
        asked: ``ckpt_path``.
        run_dir: of the run.
        description: of the network that is configured.

    Raises:
        InputError: it cannot be read, or is of another network or image size than what is configured.
    """
    if asked is None:
        return None
    path = run_dir / "checkpoints" / "last.ckpt" if asked == "last" else Path(asked).expanduser()
    if asked == "last" and not path.is_file():
        return None
    trained = read_checkpoint(path).description
    if told := differences(trained.network.to_dict(), description.network.to_dict()):
        raise InputError(f"ckpt_path={path} is of another network ({told}); give the model keys it was trained with")
    if told := differences(trained.preprocessing.to_dict(), description.preprocessing.to_dict()):
        raise InputError(f"ckpt_path={path} is of other images ({told}); give the data keys it was trained with")
    return str(path)
