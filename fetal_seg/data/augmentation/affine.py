"""How augmentation moves a head about: one random affine map, such that a head keeps a head's shape."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.geometry.arrays import Grey


@dataclass(frozen=True)
class RandomAffine:
    """Ranges of random affine maps about the middle of a picture.

    Attributes:
        rotation_deg: rotate by up to this angle either way.
        zoom: the smallest and the largest factor of lengths, above 0.
        aspect: stretch one axis against the other by up to this factor, at least 1; areas stay.
        shift: move by up to this part of the size.
    """

    rotation_deg: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    aspect: float = 1.0
    shift: float = 0.0

    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """A map (2, 3) of the pixels (x, y) of a picture (height, width).

        The picture is stretched along an axis of its own, then turned. Logarithms of zoom and stretch are uniform, so
        that in is as likely as out by the same factor.
        """
        size = np.array([shape[1], shape[0]])
        turn = math.radians(rng.uniform(-self.rotation_deg, self.rotation_deg))
        factor = math.exp(rng.uniform(*np.log(self.zoom)))
        stretch = math.exp(rng.uniform(-0.5, 0.5) * math.log(self.aspect))
        cos, sin = math.cos(turn), math.sin(turn)
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([factor * stretch, factor / stretch])
        middle = (size - 1) / 2
        offset = middle + rng.uniform(-self.shift, self.shift, 2) * size - linear @ middle
        return np.hstack([linear, offset[:, None]])


def warp(image: Grey, matrix: NDArray[np.float64]) -> Grey:
    """An image (height, width) under a map (2, 3) of its pixels; black comes in, and what shrinks does not alias."""
    factor = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if factor < 1:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 * math.sqrt(1 / factor**2 - 1) + 1e-3), np.uint8)
    return np.asarray(cv2.warpAffine(image, matrix, image.shape[::-1], flags=cv2.INTER_LINEAR), np.uint8)
