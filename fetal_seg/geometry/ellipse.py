"""The ellipse: the truth of HC18, and the result of a measurement.

Coordinates are pixels: x to the right, y down, pixel centres at whole numbers.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_seg.geometry.arrays import FloatArray, Grey


@dataclass(frozen=True)
class Ellipse:
    """An ellipse in pixel coordinates, always in its normal form.

    Attributes:
        center_x, center_y: centre, px.
        semi_axis_a: long semi-axis, px.
        semi_axis_b: short semi-axis, px; ``semi_axis_a >= semi_axis_b > 0``.
        angle_rad: angle of the long axis from +x towards +y, in (-pi/2, pi/2].

    Raises:
        ValueError: a value is not finite, or a semi-axis is not positive.

    >>> head = Ellipse(400, 270, semi_axis_a=190, semi_axis_b=250, angle_rad=0)
    >>> head.semi_axis_a, head.semi_axis_b, round(head.angle_rad, 4)
    (250.0, 190.0, 1.5708)
    >>> round(head.scaled(0.12, 0.12).circumference, 2)  # in mm, where a pixel has 0.12 mm
    166.65
    """

    center_x: float
    center_y: float
    semi_axis_a: float
    semi_axis_b: float
    angle_rad: float

    def __post_init__(self) -> None:
        a, b, angle = float(self.semi_axis_a), float(self.semi_axis_b), float(self.angle_rad)
        if not all(map(math.isfinite, (self.center_x, self.center_y, a, b, angle))) or min(a, b) <= 0:
            raise ValueError(f"no ellipse: {(self.center_x, self.center_y, a, b, angle)}; values are finite, axes > 0")
        if a < b:
            a, b, angle = b, a, angle + math.pi / 2
        angle = -math.remainder(-angle, math.pi)
        if angle <= -math.pi / 2:
            angle += math.pi
        values = (float(self.center_x), float(self.center_y), a, b, angle)
        for name, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, name, value)

    @classmethod
    def fit(cls, points: FloatArray) -> "Ellipse":
        """Fit an ellipse to points (n, 2) of x and y, in the least squares of algebraic distance.

        Source: R. Halir and J. Flusser, Numerically stable direct least squares fitting of
        ellipses, WSCG 1998; the points are first shifted and scaled to unit spread.

        Raises:
            ValueError: fewer than five points, or no ellipse fits them (they lie on a line, say).

        >>> points = Ellipse(400, 270, 250, 190, 0.1).points(20)
        >>> round(Ellipse.fit(points).semi_axis_b, 6)
        190.0
        """
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 5:
            raise ValueError(f"an ellipse needs an array (n, 2) of at least 5 points, not {points.shape}")
        mean, spread = points.mean(axis=0), points.std(axis=0).max()
        if not spread > 0:
            raise ValueError("no ellipse fits points that all coincide")
        x, y = ((points - mean) / spread).T
        quadratic, linear = np.stack([x * x, x * y, y * y], 1), np.stack([x, y, np.ones_like(x)], 1)
        try:
            to_linear = -np.linalg.solve(linear.T @ linear, linear.T @ quadratic)
            scatter = quadratic.T @ (quadratic + linear @ to_linear)
            _, vectors = np.linalg.eig(np.array([scatter[2] / 2, -scatter[1], scatter[0] / 2]))
        except np.linalg.LinAlgError as error:
            raise ValueError("no ellipse fits these points: they lie on a line") from error
        vectors = vectors.real
        conics = vectors[:, 4 * vectors[0] * vectors[2] - vectors[1] ** 2 > 1e-12]
        if conics.shape[1] == 0:
            raise ValueError("no ellipse fits these points")
        conic = conics[:, 0]
        unit = cls._from_conic(conic, to_linear @ conic)
        center_x, center_y = mean + spread * np.array([unit.center_x, unit.center_y])
        return cls(center_x, center_y, spread * unit.semi_axis_a, spread * unit.semi_axis_b, unit.angle_rad)

    @classmethod
    def _from_conic(cls, quadratic: FloatArray, linear: FloatArray) -> "Ellipse":
        """The ellipse ``A x^2 + B xy + C y^2 + D x + E y + F = 0`` of (A, B, C) and (D, E, F)."""
        matrix = np.array([[quadratic[0], quadratic[1] / 2], [quadratic[1] / 2, quadratic[2]]])
        center = np.linalg.solve(-2 * matrix, linear[:2])
        values, vectors = np.linalg.eigh(matrix / (center @ matrix @ center - linear[2]))
        if values[0] <= 0:
            raise ValueError("no ellipse fits these points")
        a, b = 1 / np.sqrt(values)
        return cls(center[0], center[1], a, b, math.atan2(vectors[1, 0], vectors[0, 0]))

    @property
    def circumference(self) -> float:
        """Circumference in px.

        Source: S. Ramanujan, Modular equations and approximations to pi (1914), second formula;
        its relative error is below 1e-9 for the eccentricities of heads.
        """
        a, b = self.semi_axis_a, self.semi_axis_b
        h = ((a - b) / (a + b)) ** 2
        return math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))

    @property
    def area(self) -> float:
        """Area in px^2."""
        return math.pi * self.semi_axis_a * self.semi_axis_b

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the width and half the height of the bounding box, px."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        return (
            math.hypot(self.semi_axis_a * cos, self.semi_axis_b * sin),
            math.hypot(self.semi_axis_a * sin, self.semi_axis_b * cos),
        )

    def points(self, count: int) -> FloatArray:
        """`count` points on the ellipse at equal steps of the eccentric anomaly, (count, 2), px."""
        t = np.linspace(0, 2 * math.pi, count, endpoint=False)
        return np.stack([np.cos(t), np.sin(t)], 1) @ self._axes().T + (self.center_x, self.center_y)

    def transform(self, matrix: FloatArray) -> "Ellipse":
        """The image under the affine map of `matrix` (2, 3), which is again an ellipse.

        Raises:
            ValueError: the map is singular.
        """
        matrix = np.asarray(matrix, dtype=np.float64)
        center = matrix @ (self.center_x, self.center_y, 1)
        directions, lengths, _ = np.linalg.svd(matrix[:, :2] @ self._axes())
        return Ellipse(center[0], center[1], lengths[0], lengths[1], math.atan2(directions[1, 0], directions[0, 0]))

    def scaled(self, x: float, y: float) -> "Ellipse":
        """The image under a stretch of the axes by `x` and `y`: in mm, where these are the sides of a pixel."""
        return self.transform(np.array([[x, 0, 0], [0, y, 0]]))

    def along_axes(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Coordinates of points along the long and the short axis from the centre, px."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        right, down = x - self.center_x, y - self.center_y
        return cos * right + sin * down, cos * down - sin * right

    def signed_distance(self, x: NDArray[Any], y: NDArray[Any]) -> FloatArray:
        """Distance of points from the ellipse, px, to first order; negative inside."""
        u, v = self.along_axes(x, y)
        u, v = u / self.semi_axis_a, v / self.semi_axis_b
        radius = np.hypot(u, v)
        gradient = np.hypot(u / self.semi_axis_a, v / self.semi_axis_b) / np.maximum(radius, 1e-12)
        return np.asarray((radius - 1) / np.maximum(gradient, 1e-12))

    def rasterise(self, height: int, width: int) -> Grey:
        """Mask (height, width) of 0 and 1: 1 where the pixel's centre lies in the ellipse."""
        mask = np.zeros((height, width), np.uint8)
        rows, columns = self._window(height, width, margin=0)
        u, v = self._on_unit_circle(rows, columns)
        mask[rows, columns] = u * u + v * v <= 1
        return mask

    def coverage(self, height: int, width: int) -> NDArray[np.float32]:
        """The part of each pixel that the ellipse covers, (height, width), 0 to 1.

        To first order in the distance of the pixel's centre from the ellipse: what a training
        target needs so that a coarse grid does not round the boundary.
        """
        covered = np.zeros((height, width), np.float32)
        rows, columns = self._window(height, width, margin=1)
        u, v = self._on_unit_circle(rows, columns)
        radius = np.hypot(u, v)
        gradient = np.hypot(u / self.semi_axis_a, v / self.semi_axis_b) / np.maximum(radius, 1e-12)
        covered[rows, columns] = np.clip(0.5 - (radius - 1) / np.maximum(gradient, 1e-12), 0, 1)
        return covered

    def _axes(self) -> FloatArray:
        """The matrix (2, 2) that takes the unit circle to the ellipse about its centre."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        return np.array([[cos, -sin], [sin, cos]]) * (self.semi_axis_a, self.semi_axis_b)

    def _window(self, height: int, width: int, margin: int) -> tuple[slice, slice]:
        half_width, half_height = self.half_extent
        return (
            slice(*_whole(self.center_y, half_height, margin, height)),
            slice(*_whole(self.center_x, half_width, margin, width)),
        )

    def _on_unit_circle(self, rows: slice, columns: slice) -> tuple[FloatArray, FloatArray]:
        """Where the map that takes the ellipse to the unit circle takes each pixel's centre."""
        inverse = np.linalg.inv(self._axes())
        x = np.arange(columns.start, columns.stop) - self.center_x
        y = (np.arange(rows.start, rows.stop) - self.center_y)[:, None]
        return inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y


def _whole(center: float, half: float, margin: int, size: int) -> tuple[int, int]:
    """First and past-the-last whole coordinate of an extent, clipped to [0, size]."""
    start = min(max(math.floor(center - half) - margin, 0), size)
    return start, min(max(math.ceil(center + half) + 1 + margin, start), size)
