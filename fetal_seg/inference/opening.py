"""From a file to what runs its network: where another runtime is added."""

from pathlib import Path
from typing import TYPE_CHECKING, Union

from fetal_seg.errors import InputError
from fetal_seg.extras import REMEDY, check_training, is_installed
from fetal_seg.inference.exported import ExportedNetwork, ExportedRuntime, read_exported
from fetal_seg.inference.runtime import Runtime
from fetal_seg.models.exported import is_exported
from fetal_seg.models.weights import PRETRAINED, PRETRAINED_EXPORT, locate

if TYPE_CHECKING:
    from fetal_seg.models.checkpoint import Checkpoint

Trained = Union["Checkpoint", ExportedNetwork]  # a network with what it says of itself


def locate_runnable(name: str | Path) -> Path:
    """The file of a network that a user named; of the pretrained weights the export, where PyTorch is not installed.

    Raises:
        InputError: there is none that would run here.
    """
    if str(name) != PRETRAINED or is_installed("torch"):
        return locate(name)
    if not PRETRAINED_EXPORT.is_file():
        raise InputError(
            f"ckpt={name} needs PyTorch here, since {PRETRAINED_EXPORT.name} is not in this installation: {REMEDY}, or "
            "install a wheel of `make wheel`"
        )
    return PRETRAINED_EXPORT


def read_trained(name: str | Path) -> Trained:
    """Read a checkpoint or an export.

    Args:
        name: a file, or ``pretrained``.

    Raises:
        InputError: it cannot be used, or needs PyTorch where that is not installed.
    """
    path = locate_runnable(name)
    if is_exported(path):
        return read_exported(path)
    check_training(f"ckpt={name}", ("torch", "safetensors"))
    from fetal_seg.models.checkpoint import read_checkpoint

    return read_checkpoint(name)


def open_runtime(
    trained: str | Path | Trained, device: str = "auto", precision: str = "auto", threads: int | None = None
) -> Runtime:
    """What runs the network of a checkpoint or an export.

    Args:
        trained: file, ``pretrained``, or what was read of it.
        device: auto, cpu or gpu; an export runs on the CPU.
        precision: auto, 32-true, bf16-mixed or 16-mixed; an export computes in float32.
        threads: of the CPU, for each call; None for all.

    Raises:
        InputError: it cannot be used, or there is no such device.
    """
    if isinstance(trained, str | Path):
        trained = read_trained(trained)
    if isinstance(trained, ExportedNetwork):
        if device == "gpu":
            raise InputError(f"ckpt={trained.path} runs on the CPU; take device=auto, or the checkpoint itself")
        if precision not in ("auto", "32-true"):
            raise InputError(f"ckpt={trained.path} computes in float32; take precision=auto, or the checkpoint itself")
        return ExportedRuntime(trained, threads)
    from fetal_seg.inference.pytorch import PyTorchRuntime  # PyTorch is imported when a network is to run

    return PyTorchRuntime.load(trained, device, precision, threads)
