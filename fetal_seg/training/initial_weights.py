"""The network that a training starts with: a new one, or a trained one that it is to refine."""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

from torch import nn

from fetal_seg.errors import InputError
from fetal_seg.models.checkpoint import Checkpoint, Description, read_checkpoint
from fetal_seg.models.registry import build_network

logger = logging.getLogger(__name__)

OURS = ("init", "compile")  # keys of conf/model that say how to train a network, not which one it is


def network_keys(model: dict[str, Any]) -> Description:
    """What describes the network itself among the keys of ``conf/model``."""
    return {key: value for key, value in model.items() if key not in OURS}


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
    wanted, trained = network_keys(model), checkpoint.description["network"]
    if wanted != network_keys(default) and (told := differences(trained, wanted, ignored=("weights",))):
        raise InputError(f"model.init={init} is of another network ({told}); leave the other model keys out")
    return checkpoint


def first_network(checkpoint: Checkpoint | None, keys: Description) -> nn.Module:
    """The checkpoint's trained network, or without one a new network of these keys, in training mode."""
    return checkpoint.build_network().train() if checkpoint else build_network(keys)


def differences(trained: Description, wanted: Description, ignored: Collection[str] = ()) -> str:
    """In which keys two networks differ, in words; empty where they do not."""
    keys = sorted((trained.keys() | wanted.keys()) - set(ignored))
    differing = [key for key in keys if trained.get(key) != wanted.get(key)]
    return ", ".join(f"{key} {trained.get(key)} instead of {wanted.get(key)}" for key in differing)


def warn_of_another_size(checkpoint: Checkpoint, size: dict[str, int]) -> None:
    """Tell if a training shows its images at another size than the one before it did."""
    trained = {key: checkpoint.description["preprocessing"][key] for key in size}
    if trained != size:
        logger.warning(
            "the network that this starts from was trained at %dx%d, and now sees images at %dx%d; "
            "to keep its size add data.height=%d data.width=%d",
            *trained.values(),
            *size.values(),
            *trained.values(),
        )


def warn_of_seen_images(checkpoint: Checkpoint, fingerprint: str, validation: Collection[str]) -> None:
    """Tell if images that are to validate have trained the network before."""
    if checkpoint.description["data"].get("fingerprint") != fingerprint:
        return
    seen = len(set(checkpoint.description["split"]["train"]) & set(validation))
    if seen:
        logger.warning(
            "%d of %d validation images trained the network that this starts from, so that figures are too good; "
            "take its split: data.split=examination data.split_seed=0, or its split.json as data.split_file",
            seen,
            len(validation),
        )


def checkpoint_to_resume(asked: str | None, run_dir: Path, description: dict[str, Any]) -> str | None:
    """The checkpoint that a run goes on from; ``last`` is the run's own, if there is one yet.

    Args:
        asked: ``ckpt_path``.
        run_dir: of the run.
        description: of the network that is configured, see ``checkpoint.describe``.

    Raises:
        InputError: it cannot be read, or is of another network or image size than what is configured.
    """
    if asked is None:
        return None
    path = run_dir / "checkpoints" / "last.ckpt" if asked == "last" else Path(asked).expanduser()
    if asked == "last" and not path.is_file():
        return None
    trained = read_checkpoint(path).description
    if told := differences(trained["network"], description["network"]):
        raise InputError(f"ckpt_path={path} is of another network ({told}); give the model keys it was trained with")
    if told := differences(trained["preprocessing"], description["preprocessing"]):
        raise InputError(f"ckpt_path={path} is of other images ({told}); give the data keys it was trained with")
    return str(path)
