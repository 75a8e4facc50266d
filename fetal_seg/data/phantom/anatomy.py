"""What the beams meet on their way to a fetal head and behind it: a scene for the simulated images.

Proportions and decibels were set by eye beside HC18's images, and by their grey values. Amplitudes are in units of
the mother's soft tissue.
"""

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fetal_seg.data.phantom.simulation import Beams
from fetal_seg.geometry.arrays import FloatArray
from fetal_seg.geometry.ellipse import Ellipse

_CANVAS = 320  # px of the square on which the brain is drawn; it spans -1.05 to 1.05 semi-axes


class Scene:
    """What the beams meet: diffuse echo and smooth surfaces (depth, beam), tissue = 1, and losses, dB a sample."""

    def __init__(self, beams: Beams, ellipse: Ellipse, rng: np.random.Generator) -> None:
        self.beams, self.rng = beams, rng
        cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
        a, b = ellipse.semi_axis_a, ellipse.semi_axis_b
        dx, dy = beams.pixels[0] - np.float32(ellipse.center_x), beams.pixels[1] - np.float32(ellipse.center_y)
        self.u, self.v = (cos * dx + sin * dy) / a, (cos * dy - sin * dx) / b  # in semi-axes; v is downwards
        radius, slope = np.hypot(self.u, self.v), np.hypot(self.u / a, self.v / b) + np.float32(1e-9)
        self.distance = (radius - 1) * radius / slope  # px outside the skull, to first order
        beam_u, beam_v = np.sin(beams.angles + ellipse.angle_rad), np.cos(beams.angles + ellipse.angle_rad)
        self.facing = np.abs(self.u / a * beam_u + self.v / b * beam_v) / slope  # cosine of beam and skull's normal
        self.midline_facing = np.abs(beam_v)
        self.progress = dy / ellipse.half_extent[1]  # -1 at the top of the head, 1 at its bottom
        self.around = np.arctan2(self.v, self.u)
        self.size = math.sqrt(a * b)
        self.scatter, self.mirror, self.loss = np.ones_like(dx), np.zeros_like(dx), np.zeros_like(dx)

    def add_surroundings(self, early: float, age: float) -> None:
        """Tissue and placenta, the fluid about the head, fetal parts in it, and the near field."""
        rng, beams, size = self.rng, self.beams, self.size
        self.scatter *= _amplitude(
            9 * np.tanh(2.5 * self.texture(5, 5)) + 5 * self.texture(60, 12) + rng.normal(0, 3) - 6 * age
        )
        room = rng.uniform(0.1, 0.9) * early + (1 - early) * rng.uniform(-0.1, 0.2)
        gap = size * np.clip(room + (0.18 + 0.3 * early) * self.ripple(2) + 0.03 * self.ripple(9), 0.01, 2)
        beyond = self.distance - gap
        placenta = _step(np.cos(self.around - rng.uniform(-3.2, 3.2)) - rng.uniform(0, 0.8), 0.05)
        placenta *= _step(size * rng.uniform(0.3, 0.8) * (1 + 0.15 * self.ripple(6)) - beyond, 6)
        self.scatter += placenta * (_amplitude(rng.normal(0, 4) - 4 * age + 2 * self.texture(40, 12)) - self.scatter)
        fluid = _step(-beyond, 8)
        self.scatter += fluid * (_amplitude(rng.uniform(-34, -18)) - self.scatter)
        for _ in range(rng.integers(0, 3)):
            self._add_part(fluid)
        self.mirror += (
            rng.uniform(0, 3) * np.exp(-((beyond / 3.5) ** 2)) * self.facing**6 * _amplitude(3 * self.texture(9, 9))
        )
        self.loss -= fluid * rng.uniform(0.5, 1.5) * 4 / beams.size[0]
        near = (
            _step(rng.uniform(0.02, 0.16) * beams.end - (beams.depths - beams.start), 20)
            * _step(self.distance, 9)
            * (1 - fluid)
        )
        layers = _amplitude(4 * self.texture(110, 2) + 4 * self.texture(40, 5))
        self.scatter *= 1 + near * (layers - 1)
        self.mirror += near * 1.2 * np.maximum(layers - 1.5, 0)

    def _add_part(self, fluid: FloatArray) -> None:
        """A limb or the cord in the fluid: a blob with a bright surface."""
        angle, away = self.rng.uniform(-math.pi, math.pi), self.rng.uniform(1.1, 1.6)
        u, v = self.u - away * math.cos(angle), self.v - away * math.sin(angle)
        blob = np.hypot(u, v) / self.rng.uniform(0.08, 0.35) * np.exp(0.25 * self.texture(7, 7)) - 1
        self.scatter += fluid * _step(-blob, 0.2) * (self.rng.uniform(0.4, 1.5) - self.scatter)
        self.mirror += fluid * np.exp(-((blob / 0.1) ** 2)) * self.rng.uniform(0, 4) * _step(self.texture(9, 9), 1.5)

    def add_skull(self, thickness: float, age: float) -> None:
        """Scalp and skull.

        The skull reflects where it faces the beam, and shadows most where the beam grazes it.

        Args:
            thickness: of the skull, px; it lies inside of the ellipse.
            age: 0 at a circumference of 60 mm, 1 at 300 mm; so everywhere here.
        """
        rng = self.rng
        scalp = _step(0.8 * thickness - self.distance, 3)
        self.scatter += scalp * np.maximum(rng.uniform(0.15, 0.5) - self.scatter, 0)
        depth = thickness * np.clip(1 + 0.2 * self.ripple(9), 0.5, 1.6)
        layer = _step(-self.distance, 1.5) * _step(self.distance + 0.9 * depth, depth)
        bone = np.exp((0.7 - 0.45 * age) * self.ripple(8))
        for suture in rng.uniform(-math.pi, math.pi, rng.integers(0, 4)):
            bone *= 1 - rng.uniform(0.4, 0.9) * np.exp(
                -((np.sin((self.around - suture) / 2) / rng.uniform(0.02, 0.05)) ** 2)
            )
        floor = rng.uniform(0.06, 0.3) * (1 - age)
        shine = bone * (floor + (1 - floor) * self.facing ** (1.5 + 3 * age))
        strength = _amplitude(rng.normal(24 + 3 * min(1, 4 * age), 2.5))
        self.scatter += layer * (0.3 * strength * shine - self.scatter)
        self.mirror = self.mirror * (1 - layer) + strength * layer * shine
        self.loss += layer * np.minimum(bone, 1) * (2 + 6 * age) * self.beams.step / depth

    def add_brain(self, early: float, age: float) -> None:
        """What `_anatomy` draws, and the haze that the near side of the skull throws over it."""
        rng = self.rng
        inside = _step(-self.distance - 4, 4)
        free = _step(-self.distance - 0.04 * self.size, 6)
        tissue, lines = _anatomy(early > rng.random(), age, np.random.default_rng(rng.integers(2**60)))
        u, v = (((axis + 1.05) * _CANVAS / 2.1).astype(np.float32) for axis in (self.u, self.v))
        brain, strokes = (cv2.remap(field, u, v, cv2.INTER_LINEAR).astype(np.float32) for field in (tissue, lines))
        brain *= _amplitude((4 + 2 * early) * self.texture(30, 20) + 2 * self.texture(6, 6) + rng.normal(0, 2))
        reverberation = (
            rng.uniform(0.2, 0.8) * np.exp(-(self.progress + 1) / rng.uniform(0.15, 0.6)) * (1 - 0.6 * early)
        )
        brain += reverberation * self.facing * _amplitude(3 * self.texture(30, 2))
        bone = self.mirror > 0.5
        self.scatter += np.where(bone, 0, free) * (brain - self.scatter)
        patchy = _amplitude(9 * self.texture(25, 25) - 3)
        self.mirror += inside * strokes * patchy * rng.uniform(6, 16) * (0.15 + 0.85 * self.midline_facing**4)

    def gain(self) -> FloatArray:
        """Amplitude after the losses and the scanner's time gain, (depth, beam)."""
        depth, across = np.linspace(-1, 1, self.beams.size[0])[:, None], np.linspace(-1, 1, self.beams.size[1])
        tgc = self.rng.normal(0, 2) * depth - self.rng.uniform(0, 3) * depth**2
        loss = cv2.GaussianBlur(
            np.cumsum(self.loss, axis=0), (0, 0), self.rng.uniform(4, 12), None, 3
        )  # no beam is thin
        edges = self.rng.uniform(0, 14) * across**4 * (1.2 + depth)
        beams = 1.2 * self.texture(2, 24)
        return _amplitude(np.maximum(tgc - edges + beams - loss, -45))

    def texture(self, depths: int, beams: int) -> FloatArray:
        """Smooth noise (depth, beam) of mean 0 and deviation about 0.7, with so many cells each way."""
        cells = self.rng.standard_normal((depths, beams), np.float32)
        return np.asarray(cv2.resize(cells, self.beams.size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)

    def ripple(self, waves: int) -> FloatArray:
        """Noise of deviation 1 (depth, beam) that depends on the direction from the head's centre alone."""
        angles = np.linspace(-math.pi, math.pi, 361)
        parts = self.rng.standard_normal((2, waves)) / math.sqrt(waves)
        orders = np.arange(1, waves + 1)[:, None] * angles
        waves_sum = parts[0] @ np.cos(orders) + parts[1] @ np.sin(orders)
        return np.asarray(np.interp(self.around, angles, waves_sum), np.float32)


def _anatomy(early: bool, age: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Diffuse echo and bright lines of a brain on a canvas; x along the long axis, y away from the probe."""
    tissue = np.full((_CANVAS, _CANVAS), 0.6 if early else 0.3 - 0.12 * age, np.float32)
    base, lines = float(tissue[0, 0]), np.zeros_like(tissue)

    def blob(u: float, v: float, half_u: float, half_v: float, tilt: float, value: float) -> None:
        cv2.ellipse(tissue, _px((u, v)).tolist(), (_len(half_u), _len(half_v)), tilt, 0, 360, value, -1)

    def arc(u: float, v: float, half_u: float, half_v: float, span: tuple[float, float], value: float) -> None:
        turn = np.radians(np.linspace(*span, 24)[:, None])
        wander = cv2.GaussianBlur(rng.normal(0, 0.05, (24, 2)), (1, 0), 0, None, 3)
        points = np.hstack([u + half_u * np.cos(turn), v + half_v * np.sin(turn)]) + wander
        cv2.polylines(lines, [_px(points)], False, 1.5 * value, 1)

    for side in (-1, 1):  # towards the probe, away from it
        wide, jitter = (1.7, 0.06) if early else (1 - 0.3 * age, 0.04)
        u, v = rng.normal((-0.2 if early else -0.42, 0.4 * side), jitter)
        tilt = side * rng.normal(-12, 6)
        blob(u, v, 0.32 * wide, 0.17 * wide, tilt, 0.05 if early else 0.15 * base)
        blob(u + 0.04, v + 0.03, 0.2 * wide, 0.11 * wide, tilt, 1.3 if early or side > 0 else 0.6)
        arc(u, v - 0.02, 0.3 * wide, 0.16, (rng.uniform(190, 250), 320), rng.uniform(0, 0.5 + 0.4 * side))
        blob(0.56, 0.2 * side, 0.18, 0.06, 18 * side, 0.2 * base)
        blob(0.06, 0.17 * side, 0.2, 0.12, 0, 0.6 * base)
        span = (rng.uniform(50, 80), 120) if side > 0 else (230, 300)
        arc(0.2, 0.45 * side, 0.35, 0.2, span, 0.0 if early else rng.uniform(0, 0.7))
    blob(0.45, 0, 0.13, 0.06, 0, 0.2 * base)
    for v in (-0.065, 0.065):
        arc(0.45, v, rng.uniform(0.08, 0.14), 0.005, (0, 180), 0.0 if early else rng.uniform(0.2, 1))
    for start, stop in ((-0.93, -0.55), (-0.5, -0.1), (-0.08, 0.25), (0.62, 0.92)):
        arc((start + stop) / 2, rng.normal(0, 0.012), (stop - start) / 2, 0.008, (0, 180), rng.uniform(0.0, 0.6))
    for _ in range(0 if early else rng.integers(4, 12 + int(32 * age))):  # sulci and vessels
        u, v = rng.normal((-0.1, 0.2), (0.4, 0.3))
        first, half_u, half_v = (rng.uniform(*ends) for ends in ((180, 300), (0.02, 0.12), (0.01, 0.06)))
        arc(u, v, half_u, half_v, (first, first + rng.uniform(25, 80)), rng.uniform(0.2, 1))
    if rng.random() < 0.5:
        tissue, lines = tissue[:, ::-1], lines[:, ::-1]
    smooth = cv2.GaussianBlur(tissue, (0, 0), 2.5), cv2.GaussianBlur(lines, (0, 0), 0.8)
    return np.asarray(smooth[0], np.float32), np.asarray(smooth[1], np.float32)


def _amplitude(decibels: FloatArray | float) -> FloatArray:
    return np.asarray(np.exp(np.asarray(decibels, np.float32) * np.float32(math.log(10) / 20)))


def _step(value: FloatArray, width: float | FloatArray) -> FloatArray:
    """0 below 0, 1 above it, with a ramp of so much width."""
    return np.asarray(np.clip(np.asarray(value / width, np.float32) + np.float32(0.5), 0, 1))


def _px(points: ArrayLike) -> NDArray[np.int32]:
    return np.rint((np.asarray(points) + 1.05) * _CANVAS / 2.1).astype(np.int32)


def _len(length: float) -> int:
    return round(length * _CANVAS / 2.1)
