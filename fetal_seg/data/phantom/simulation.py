"""A curved probe that looks at a scene of scatterers and mirrors: point spread, envelope, scan conversion.

Fields lie over depth and beams, as a scanner sees them; the picture is made of them at the end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from fetal_seg.geometry.arrays import FloatArray, Grey
from fetal_seg.geometry.ellipse import Ellipse


def envelope(
    scatter: FloatArray, mirror: FloatArray, blur: tuple[float, float], rng: np.random.Generator
) -> FloatArray:
    """The echo's envelope (depth, beam) before log compression, in the unit of `scatter`.

    Scatterers add with circular Gaussian amplitudes, mirrors in phase. Where `scatter` is constant and `mirror` 0,
    the envelope follows Rayleigh's distribution (mean over standard deviation 1.913) with that root mean square.

    Args:
        scatter: root mean square of the diffuse echo (depth, beam), >= 0.
        mirror: amplitude of smooth surfaces (depth, beam), >= 0.
        blur: standard deviations of the Gaussian point spread function along depth and beam, samples.
    """
    strength = scatter * np.float32(math.sqrt(2 * math.pi * blur[0] * blur[1]))  # a kernel's squares do not sum to 1
    real, imaginary = (
        cv2.GaussianBlur(
            strength * rng.standard_normal(scatter.shape, np.float32) + fixed, (0, 0), blur[1], None, blur[0]
        )
        for fixed in (mirror, np.float32(0))
    )
    return cv2.magnitude(real, imaginary).astype(np.float32)


@dataclass(frozen=True)
class Beams:
    """Depths and directions of a curved probe, a sector about an apex above the frame; px, and rad from downwards."""

    apex_x: float
    apex_y: float
    start: float  # radius of the probe's face
    end: float  # radius of the deepest echo
    half_angle: float
    depths: FloatArray  # (depth, 1) distances from the apex
    angles: FloatArray  # (1, beam)

    @classmethod
    def sample(
        cls, ellipse: Ellipse, shape: tuple[int, int], pixel_size_mm: float, axial: float, rng: np.random.Generator
    ) -> "Beams":
        """A probe at a random position; `axial` is the point spread function's standard deviation along depth, px."""
        height, width = shape
        face = height * (rng.uniform(0.0, 0.09) if rng.random() < 0.6 else -rng.uniform(0.05, 0.5))
        face = min(face, ellipse.center_y - ellipse.half_extent[1] - 0.04 * height)
        start = rng.uniform(38, 75) / pixel_size_mm
        apex_x, apex_y = width * rng.normal(0.488, 0.012), face - start
        half_angle = math.atan2(width * rng.uniform(0.42, 0.6), height / 2 - apex_y)
        end = height * rng.uniform(0.94, 1.35) - apex_y
        farthest = math.hypot(max(apex_x, width - apex_x), height - apex_y)
        radius = math.hypot(ellipse.center_x - apex_x, ellipse.center_y - apex_y)
        lateral = axial * rng.uniform(2.0, 3.0) / radius  # an angle, so that cells widen with depth
        depths = np.arange(max(start, -apex_y) - 2 * axial, min(end, farthest) + 2 * axial, axial / 2, dtype=np.float32)
        angles = np.arange(-half_angle - lateral, half_angle + lateral, lateral / 2, dtype=np.float32)
        return cls(apex_x, apex_y, start, end, half_angle, depths[:, None], angles[None])

    @cached_property
    def pixels(self) -> tuple[FloatArray, FloatArray]:
        """The x and y, px, of each sample (depth, beam)."""
        return self.apex_x + self.depths * np.sin(self.angles), self.apex_y + self.depths * np.cos(self.angles)

    @property
    def step(self) -> float:
        """Distance of two depths, px."""
        return float(self.depths[1, 0] - self.depths[0, 0])

    @property
    def size(self) -> tuple[int, int]:
        """Numbers of depths and beams."""
        return self.depths.size, self.angles.size

    def scan_convert(self, field: FloatArray, shape: tuple[int, int]) -> Grey:
        """The field (depth, beam), 0 to 255, on the frame (height, width); black outside the sector."""
        x = np.arange(shape[1], dtype=np.float32) - np.float32(self.apex_x)
        y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(self.apex_y)
        radius, angle = np.hypot(x, y), np.arctan2(x, y)
        row = (radius - self.depths[0, 0]) / self.step
        column = (angle - self.angles[0, 0]) / (self.angles[0, 1] - self.angles[0, 0])
        frame = cv2.remap(field, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        frame[(radius < self.start) | (radius > self.end) | (np.abs(angle) > self.half_angle)] = 0
        return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def add_overlay(frame: Grey, pick: Sequence[float]) -> Grey:
    """Lay on what most HC18 frames show: the grey bar, a scanner's label, blanked corners; `frame` is changed.

    Args:
        frame: grey values (height, width), 0 to 255.
        pick: six numbers of 0 to 1 that decide what there is, and where.
    """
    height, width = frame.shape
    frame[[0, -1]], frame[:, :3], frame[:, width - 15 :] = 0, 0, 0
    bar = np.linspace(1, 0, max(round(0.296 * height), 1)) ** 1.25 * 250
    frame[24 : 24 + bar.size, 3:12] = bar[: max(height - 24, 0), None]
    if pick[0] < 0.9:
        cv2.putText(frame, "Phantom", (46, 36), cv2.FONT_HERSHEY_PLAIN, 0.6, 16)
    if pick[1] < 0.9:
        top, left = (0.78 + 0.13 * pick[2]) * height, (0.76 + 0.1 * pick[3]) * width
        frame[round(top) : round(0.97 * height), round(left) :] = 0
    if pick[4] < 0.5:
        frame[: round(0.19 * height), round((0.86 + 0.02 * pick[5]) * width) :] = 0
    return frame
