"""From a map of the head to its ellipse, with sub-pixel accuracy.

The level line of a map is found by linear interpolation between pixel centres, so that neither
the width of a drawn outline nor the staircase of a thresholded mask biases the circumference.
"""

import contourpy
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fetal_seg.ellipse import Ellipse

FloatArray = NDArray[np.floating]


def head_contour(values: FloatArray, level: float) -> FloatArray | None:
    """The level line that encloses the largest area: the outer boundary of the largest region.

    Args:
        values: map (height, width), higher inside the head: logits, probabilities or a mask.
        level: value on the boundary.

    Returns:
        Points (n, 2) of x and y in px of the map, without those where the frame cuts the head;
        None where no value exceeds the level.
    """
    height, width = values.shape
    below = level - max(float(values.max()) - level, 1.0)
    padded = np.pad(np.asarray(values, np.float64), 1, constant_values=below)
    lines = [np.asarray(line) for line in contourpy.contour_generator(z=padded).lines(level)]
    if not lines:
        return None
    line = max(lines, key=_enclosed_area) - 1.0
    x, y = line.T
    inside = (x > 0.5) & (x < width - 1.5) & (y > 0.5) & (y < height - 1.5)
    return line[inside] if inside.sum() >= 5 else line


def measure_head(
    values: FloatArray, level: float, to_native: FloatArray, smallest_area: float = 25.0
) -> Ellipse | None:
    """The ellipse of the head in a map, in pixels of the original image.

    Args:
        values: map (height, width), higher inside the head.
        level: value on the head's boundary: 0 for logits, 0.5 for probabilities.
        to_native: affine map (2, 3) from pixels of the map to pixels of the original image.
        smallest_area: regions below this area, px^2 of the map, are no head.

    Returns:
        The ellipse in pixels of the original image, or None where there is no head.
    """
    contour = head_contour(values, level)
    if contour is None or len(contour) < 5 or _enclosed_area(contour) < smallest_area:
        return None
    native = contour @ to_native[:, :2].T + to_native[:, 2]
    try:
        return Ellipse.fit(native)
    except ValueError:
        return None


def largest_component(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest 4-connected region of a mask (height, width) of 0 and 1, as such a mask; empty stays empty."""
    labels, count = ndimage.label(mask)
    if count <= 1:
        return mask
    return (labels == np.bincount(labels.ravel())[1:].argmax() + 1).astype(np.uint8)


def _enclosed_area(line: FloatArray) -> float:
    """Area within a closed line (n, 2), by the shoelace formula."""
    x, y = np.asarray(line).T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
