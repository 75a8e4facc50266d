"""From a checkpoint to what runs its network: where another runtime is added."""

from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.inference.runtime import Runtime

if TYPE_CHECKING:
    from fetal_seg.models.checkpoint import Checkpoint


def open_runtime(
    checkpoint: "str | Path | Checkpoint", device: str = "auto", precision: str = "auto", threads: int | None = None
) -> Runtime:
    """What runs the network of a checkpoint; another kind of file, such as ONNX, would be told apart here.

    Args:
        checkpoint: file, ``pretrained``, or what was read of it.
        device: auto, cpu or gpu.
        precision: auto, 32-true, bf16-mixed or 16-mixed.
        threads: of the CPU, for each call; None for all.

    Raises:
        InputError: the checkpoint cannot be used, or there is no such device.
    """
    from fetal_seg.inference.pytorch import PyTorchRuntime  # PyTorch is imported when a network is to run

    return PyTorchRuntime.load(checkpoint, device, precision, threads)
