"""What runs a trained network: the one thing that the predictor knows of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    from fetal_seg.models.checkpoint import Checkpoint

Logits = NDArray[np.float32]


class Runtime(Protocol):
    """A trained network with what it was trained with."""

    @property
    def preprocessing(self) -> Preprocessing:
        """The size of its images, and how their grey values were scaled."""

    @property
    def calibration(self) -> Calibration | None:
        """What held-out images taught about its errors; None where it was not calibrated."""

    def logits(self, images: NDArray[np.uint8]) -> Logits:
        """Logits (n, height, width) of the head, of grey images of that shape, 0 to 255, at the network's size."""


def open_runtime(checkpoint: "str | Path | Checkpoint", device: str = "auto", precision: str = "auto") -> Runtime:
    """What runs the network of a checkpoint; another kind of file, such as ONNX, would be told apart here.

    Args:
        checkpoint: file, ``pretrained``, or what was read of it.

    Raises:
        InputError: the checkpoint cannot be used, or there is no such device.
    """
    from fetal_seg.inference.pytorch import PyTorchRuntime

    return PyTorchRuntime.load(checkpoint, device, precision)
