"""The network that a training starts with: a new one, or a trained one that it is to refine."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from fetal_seg.config.model import EncoderDecoderConfig, ModelConfig
from fetal_seg.errors import InputError
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.description import FORMAT, CheckpointDescription

logger = logging.getLogger(__name__)


def starting_checkpoint(model: ModelConfig) -> Checkpoint | None:
    """The checkpoint that ``model.init`` names, None without one; it says which network is trained.

    Raises:
        InputError: it cannot be read, or is of another network than the one chosen.
    """
    if model.init is None:
        return None
    checkpoint = read_checkpoint(model.init)
    nobody_chose = model.choice == EncoderDecoderConfig().choice
    differing = differences(checkpoint.description.network.to_dict(), model.choice.to_dict(), ignored=("weights",))
    if differing and not nobody_chose:
        raise InputError(f"model.init={model.init} is of another network ({differing}); leave the other model keys out")
    return checkpoint


def differences(trained: dict[str, Any], wanted: dict[str, Any], ignored: Collection[str] = ()) -> str:
    """In which keys two networks differ, in words; empty where they do not. What an earlier version lacked is off."""
    keys = sorted((trained.keys() | wanted.keys()) - set(ignored))
    differing = [key for key in keys if trained.get(key, False) != wanted.get(key, False)]
    return ", ".join(f"{key} {trained.get(key)} instead of {wanted.get(key)}" for key in differing)


def warn_of_start(checkpoint: Checkpoint, description: CheckpointDescription, validation: Sequence[str]) -> None:
    """Tell if a training shows images at another size than the checkpoint it starts from, or validates by its own.

    Args:
        validation: digests of the pixels of the images that validate.
    """
    before, now = checkpoint.description.preprocessing, description.preprocessing
    if before.letterbox != now.letterbox:
        logger.warning(
            "the network that this starts from was trained at %dx%d, and now sees images at %dx%d; "
            "to keep its size add data.height=%d data.width=%d",
            *(before.height, before.width),
            *(now.height, now.width),
            *(before.height, before.width),
        )
    known = set(checkpoint.description.split.seen)
    if seen := sum(digest in known for digest in validation):
        logger.warning(
            "%d of %d validation images trained the network that this starts from: val/dice is too good, and they are "
            "left out of the evaluation; take its split: data.split=examination data.split_seed=0, or its split.json "
            "as data.split_file",
            seen,
            len(validation),
        )


def checkpoint_to_resume(ckpt_path: str | None, run_dir: Path, description: CheckpointDescription) -> str | None:
    """The checkpoint that a run goes on from; ``last`` is the run's own, if there is one yet.

    Raises:
        InputError: it cannot be read, was begun by an earlier version, or is of another network, image size, data or
            split than what is configured.
    """
    if ckpt_path is None:
        return None
    path = run_dir / "checkpoints" / "last.ckpt" if ckpt_path == "last" else Path(ckpt_path).expanduser()
    if ckpt_path == "last" and not path.is_file():
        return None
    read = read_checkpoint(path)
    trained = read.description
    if read.format < FORMAT:
        raise InputError(
            f"ckpt_path={path} was begun by an earlier version, whose schedules of the learning rate were others; "
            f"start from its weights instead: model.init={path}"
        )
    if differing := differences(trained.network.to_dict(), description.network.to_dict()):
        raise InputError(
            f"ckpt_path={path} is of another network ({differing}); give the model keys it was trained with"
        )
    if differing := differences(trained.preprocessing.to_dict(), description.preprocessing.to_dict()):
        raise InputError(f"ckpt_path={path} is of other images ({differing}); give the data keys it was trained with")
    names, wanted = ((of.split.train, of.split.val) for of in (trained, description))
    if trained.data.fingerprint != description.data.fingerprint or names != wanted:
        raise InputError(
            f"ckpt_path={path} is of other data, or of another split of them; give the data keys it was trained with, "
            f"or start from its weights: model.init={path}"
        )
    return str(path)
