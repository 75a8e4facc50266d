"""What runs a trained network: the one thing that the predictor knows of it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.preprocessing import Preprocessing

Logits = NDArray[np.float32]
Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Look:
    """What a network makes of images (n, height, width).

    Attributes:
        logits: of the head, (n, height, width).
        features: of the encoder's levels that a head gate looks at, each (n, channels, h, w); none where the network
            does not show its encoder.
    """

    logits: Logits
    features: tuple[Features, ...] = ()


@dataclass(frozen=True)
class UsedRuntime:
    """What runs a network, for a reader of its results.

    Attributes:
        name: with its version and the numbers that it computes with: ``OpenVINO 2026.4.1, float32``.
        reason: why it was taken; empty where there was nothing to choose.
    """

    name: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})" if self.reason else self.name


class Runtime(Protocol):
    """A trained network with what it was trained with."""

    @property
    def preprocessing(self) -> Preprocessing:
        """The size of its images, and how their grey values were scaled."""

    @property
    def calibration(self) -> Calibration | None:
        """What held-out images taught about its errors; None where it was not calibrated."""

    @property
    def used(self) -> UsedRuntime:
        """What it is."""

    @property
    def batch(self) -> int:
        """How many images it takes best at once."""

    def look(self, images: NDArray[np.uint8]) -> Look:
        """What the network makes of grey images (n, height, width), 0 to 255, at its size."""
