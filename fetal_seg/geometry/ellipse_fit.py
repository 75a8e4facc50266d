"""From a map of the head to its ellipse, with sub-pixel accuracy.

The level line of a map is found by linear interpolation between pixel centres, so that neither
the width of a drawn outline nor the staircase of a thresholded mask biases the circumference.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import contourpy
import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.geometry.arrays import FloatArray, Grey
from fetal_seg.geometry.ellipse import Ellipse

SMALLEST_AREA = 25.0  # px^2 of the map: smaller regions are no head
ROUNDEST, FLATTEST = 1.0, 0.5  # short by long axis: heads have 0.6 to 0.98, one cut by the frame may be fitted flatter
PLAUSIBLE_AGREEMENT = 0.8  # Dice of a region and its ellipse: what is less of an ellipse is no head
RIVAL = 0.25  # of the largest plausible region's area: smaller ones are no head beside it
FARTHEST = 3.0  # robust deviations of a boundary point from the ellipse: those beyond do not count


@dataclass(frozen=True)
class HeadFit:
    """The ellipse of a region, and how well the two agree.

    Attributes:
        ellipse: in pixels of the original image.
        agreement: Dice, 0 to 1, of the region (holes filled) and the ellipse, within the frame, on the map's grid.
        cut: which part of the ellipse lies outside the frame or on it, 0 to 1.
        region: mask (height, width) of 0 and 1 on the map's grid, holes filled.
    """

    ellipse: Ellipse
    agreement: float
    cut: float
    region: Grey


def fit_head(
    values: FloatArray,
    level: float,
    to_native: FloatArray,
    size: tuple[int, int] | None = None,
) -> HeadFit | None:
    """The plausible region of a map whose values are the surest, as an ellipse.

    Plausible is what an ellipse of a head's proportions fits. Of several, as an early head beside a body, the largest
    competes with those of at least `RIVAL` of its area: the one with the higher values inside is taken. Points of the
    boundary where the frame cuts the head do not count, nor those where a leak or a hole takes the boundary away from
    the ellipse of the others.

    Args:
        values: map (height, width), higher inside the head.
        level: value on the head's boundary: 0 for logits, 0.5 for probabilities.
        to_native: affine map (2, 3) from pixels of the map to pixels of the original image.
        size: height and width of the original image; None where its frame is the map's.

    Returns:
        None where there is no such region.

    >>> head = Ellipse(48, 30, 30, 22, 0.1)
    >>> fit = fit_head(head.coverage(64, 96), 0.5, np.eye(2, 3))
    >>> round(fit.ellipse.circumference / head.circumference, 3)
    1.0
    """
    to_native = np.asarray(to_native, np.float64)
    scale = math.sqrt(abs(np.linalg.det(to_native[:, :2])))
    frame = _frame(values.shape, to_native) if size is None else (-0.5, -0.5, size[1] - 0.5, size[0] - 0.5)
    found: list[HeadFit] = []
    largest = 0.0
    for line in _regions(values, level):
        area = _enclosed_area(line)
        if len(line) < 5 or area < max(SMALLEST_AREA, RIVAL * largest):
            break
        if fit := _fit_region(line, values.shape, to_native, scale, frame):
            largest = largest or area
            found.append(fit)
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda fit: _certainty(values - level, fit.region))


def _fit_region(
    line: FloatArray,
    shape: tuple[int, ...],
    to_native: FloatArray,
    scale: float,
    frame: tuple[float, float, float, float],
) -> HeadFit | None:
    """What a level line (n, 2) of a map of `shape` encloses, as an ellipse; None where it is not plausible."""
    native = line @ to_native[:, :2].T + to_native[:, 2]
    free = native[_inside(native, frame, 1.25 * scale)]
    ellipse = _robust_ellipse(free if len(free) >= 5 else native, 0.25 * scale)
    if ellipse is None or not FLATTEST <= ellipse.semi_axis_b / ellipse.semi_axis_a <= ROUNDEST:
        return None
    region = _filled(line, shape)
    agreement = _agreement(region, ellipse, to_native)
    if agreement < PLAUSIBLE_AGREEMENT:
        return None
    cut = 1 - float(_inside(ellipse.points(360), frame, 0.5 * scale).mean())
    return HeadFit(ellipse, agreement, cut, region)


def _certainty(excess: FloatArray, region: Grey) -> float:
    """The mean probability in a region, of a map's values (logits) above its level."""
    inside = excess[region > 0]
    return float((1 / (1 + np.exp(-np.clip(inside, -50, 50)))).mean()) if inside.size else 0.0


def head_contour(values: FloatArray, level: float) -> FloatArray | None:
    """The level line that encloses the largest area: the outer boundary of the largest region.

    Args:
        values: map (height, width), higher inside the head: logits, probabilities or a mask.

    Returns:
        Points (n, 2) of x and y in px of the map, without those where the frame cuts the head;
        None where no value exceeds the level.
    """
    line = next(_regions(values, level), None)
    if line is None:
        return None
    free = _inside(line, _frame(values.shape, np.eye(2, 3)), 1.0)
    return line[free] if free.sum() >= 5 else line


def _regions(values: FloatArray, level: float) -> Iterator[FloatArray]:
    """The closed level lines (n, 2), px of the map, those that enclose most first."""
    left, top, width, height = cv2.boundingRect((values > level).view(np.uint8))  # nothing beyond it can be on a line
    if not width:
        return
    first = np.array([max(left - 1, 0), max(top - 1, 0)])
    inside = values[first[1] : top + height + 1, first[0] : left + width + 1]
    below = level - max(float(inside.max()) - level, 1.0)
    padded = np.pad(np.asarray(inside, np.float64), 1, constant_values=below)
    lines = [np.asarray(line) + (first - 1) for line in contourpy.contour_generator(z=padded).lines(level)]
    yield from sorted(lines, key=_enclosed_area, reverse=True)


def _robust_ellipse(points: FloatArray, tolerance: float) -> Ellipse | None:
    """The ellipse that most of the points (n, 2) lie on; None where none fits.

    Points farther than `FARTHEST` robust deviations from the last fit are left out of the next, as long as
    two thirds remain; deviations below `tolerance`, px, are never held against a point.
    """
    kept = points
    try:
        ellipse = Ellipse.fit(points)
        for _ in range(3):
            distance = np.abs(ellipse.signed_distance(*points.T))
            deviation = max(1.4826 * float(np.median(distance)), tolerance)
            near = points[distance <= FARTHEST * deviation]
            if len(near) == len(kept) or len(near) < max(5, 2 * len(points) / 3):
                break
            kept, ellipse = near, Ellipse.fit(near)
    except ValueError:
        return None
    return ellipse


def _filled(line: FloatArray, shape: tuple[int, ...]) -> Grey:
    """What a level line (n, 2) encloses, as a mask of 0 and 1."""
    region = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(region, [np.rint(line * 16).astype(np.int32)], 1, shift=4)
    return region


def _agreement(region: Grey, ellipse: Ellipse, to_native: FloatArray) -> float:
    """Dice of a region of the map and an ellipse of the original image, on the map's grid."""
    linear = np.linalg.inv(to_native[:, :2])
    on_map = ellipse.transform(np.hstack([linear, -linear @ to_native[:, 2:]])).rasterise(*region.shape)
    total = cv2.countNonZero(region) + cv2.countNonZero(on_map)
    return 2 * cv2.countNonZero(region & on_map) / total if total else 0.0


def _frame(shape: tuple[int, ...], to_native: FloatArray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge of a map, in pixels of the original image."""
    corners = np.array([[-0.5, -0.5], [shape[1] - 0.5, shape[0] - 0.5]]) @ to_native[:, :2].T + to_native[:, 2]
    return (*corners.min(axis=0), *corners.max(axis=0))


def _inside(points: FloatArray, frame: tuple[float, float, float, float], margin: float) -> NDArray[np.bool_]:
    """Which points (n, 2) lie within the frame, at least `margin` px from its edges."""
    x, y = points.T
    left, top, right, bottom = frame
    return np.asarray((x > left + margin) & (x < right - margin) & (y > top + margin) & (y < bottom - margin))


def _enclosed_area(line: FloatArray) -> float:
    """Area within a closed line (n, 2), by the shoelace formula."""
    x, y = np.asarray(line).T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
