"""From an image at its own size to the network's size, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.geometry.arrays import FloatArray, Grey


@dataclass(frozen=True)
class Letterbox:
    """Scale an image to fit (height, width), keep its aspect ratio, centre it on black.

    Attributes:
        height, width: the network's size, px.

    >>> letterbox = Letterbox(192, 288)
    >>> letterbox.apply(np.zeros((540, 800), np.uint8)).shape
    (192, 288)
    >>> to_network, to_native = letterbox.to_network(540, 800), letterbox.to_native(540, 800)
    >>> to_native[:, :2] @ (to_network @ (400, 270, 1)) + to_native[:, 2]
    array([400., 270.])
    """

    height: int
    width: int

    def apply(self, image: Grey) -> Grey:
        """Scale an image (h, w), 0 to 255, to (height, width): areas are averaged, so nothing aliases."""
        top, left, height, width = self._window(*image.shape)
        shrinks = height <= image.shape[0]
        scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        framed = np.zeros((self.height, self.width), np.uint8)
        framed[top : top + height, left : left + width] = scaled
        return framed

    def to_network(self, height: int, width: int) -> NDArray[np.float64]:
        """The affine map (2, 3) from pixels of an image (height, width) to the network's pixels."""
        top, left, scaled_height, scaled_width = self._window(height, width)
        scale_x, scale_y = scaled_width / width, scaled_height / height
        return np.array([[scale_x, 0, (scale_x - 1) / 2 + left], [0, scale_y, (scale_y - 1) / 2 + top]])

    def to_native(self, height: int, width: int) -> NDArray[np.float64]:
        """The affine map (2, 3) from the network's pixels to those of an image (height, width)."""
        return np.asarray(cv2.invertAffineTransform(self.to_network(height, width)), np.float64)

    def undo(self, values: FloatArray, height: int, width: int) -> NDArray[np.float32]:
        """Interpolate a map (self.height, self.width) to an image's own size (height, width)."""
        top, left, scaled_height, scaled_width = self._window(height, width)
        inside = values[top : top + scaled_height, left : left + scaled_width].astype(np.float32)
        return np.asarray(cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def _window(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of the scaled image in the frame, px."""
        scale = min(self.height / height, self.width / width)
        scaled_height, scaled_width = max(round(height * scale), 1), max(round(width * scale), 1)
        return (self.height - scaled_height) // 2, (self.width - scaled_width) // 2, scaled_height, scaled_width
