"""What runs a trained network: the one thing that the predictor knows of it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.preprocessing import Preprocessing

Logits = NDArray[np.float32]


class Runtime(Protocol):
    """A trained network with what it was trained with."""

    @property
    def preprocessing(self) -> Preprocessing:
        """The size of its images, and how their grey values were scaled."""

    @property
    def calibration(self) -> Calibration | None:
        """What held-out images taught about its errors; None where it was not calibrated."""

    @property
    def batch(self) -> int:
        """How many images it takes best at once."""

    def logits(self, images: NDArray[np.uint8]) -> Logits:
        """Logits (n, height, width) of the head, of grey images of that shape, 0 to 255, at the network's size."""
