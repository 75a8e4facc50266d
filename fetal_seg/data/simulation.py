"""Simulated ultrasound of a fetal head: a curved probe that looks at a scene of scatterers and mirrors.

All fields lie over depth and beams, as a scanner sees them; the picture is made of them at the end. Amplitudes are
in units of maternal tissue. The physics is that of first-year textbooks, with one dimension for each effect:
R. S. C. Cobbold, Foundations of Biomedical Ultrasound, 2007, chapters 1 (attenuation, reflection) and 8 (speckle).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.ellipse import Ellipse
from fetal_seg.imageio import Grey

Field = NDArray[np.floating]  # of 32 bits wherever there are many

TILE = 64  # cells of a texture, after which it repeats


def simulate(
    ellipse: Ellipse,
    shape: tuple[int, int],
    pixel_size_mm: float,
    rng: np.random.Generator,
    speckle: np.random.Generator | None = None,
) -> Grey:
    """A simulated B-mode image (height, width), 0 to 255, of a head whose outer skull boundary is `ellipse`.

    Args:
        ellipse: in pixels, inside the frame.
        shape: height and width, px.
        pixel_size_mm: decides resolution, the skull's thickness and which anatomy the head has.
        rng: decides probe, scanner settings and anatomy.
        speckle: decides the scatterers; `rng` where it is None. With the same `rng` and another `speckle` the same
            head is seen again.
    """
    axial = float(np.clip(rng.uniform(0.16, 0.26) / pixel_size_mm, 1.7, 2.8))
    beams = Beams.draw(ellipse, shape, pixel_size_mm, axial, rng)
    head = Head.seen(ellipse, pixel_size_mm, beams)
    scene = _womb(head, beams, rng)
    _paint_limbs(scene, head, rng)
    _paint_brain(scene, head, beams, rng)
    _paint_skull(scene, head, rng)
    scene.cast_shadows(beams.step)
    contact = np.exp(0.35 * _texture(rng, beams.angles * 7, beams.depths / 250)).astype(np.float32)
    gain, range_db, contrast = rng.uniform(-25, -18), rng.uniform(46, 58), rng.uniform(1.4, 2.0)
    looks, noise = int(rng.integers(1, 6)), speckle or rng
    power = sum(envelope(contact * scene.scatter, contact * scene.mirror, (2, 2), noise) ** 2 for _ in range(looks))
    level = 1 + (10 * np.log10(power / np.float32(looks) + np.float32(1e-9)) + gain) / range_db
    frame = beams.scan_convert(255 * np.clip(level, 0, 1) ** contrast, shape)
    _decorate(frame, rng)
    return frame


def envelope(scatter: Field, mirror: Field, blur: tuple[float, float], rng: np.random.Generator) -> Field:
    """The echo's envelope (depth, beam) before log compression, in the unit of `scatter`.

    Scatterers add with circular Gaussian amplitudes, mirrors in phase. Where `scatter` is constant and `mirror` 0,
    the envelope follows Rayleigh's distribution (mean over standard deviation 1.913) with that root mean square.

    Args:
        scatter: root mean square of the diffuse echo (depth, beam), >= 0.
        mirror: amplitude of smooth surfaces (depth, beam), >= 0.
        blur: standard deviations of the Gaussian point spread function along depth and beam, samples.
        rng: decides the scatterers.
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
    depths: Field  # (depth, 1) distances from the apex
    angles: Field  # (1, beam)

    @classmethod
    def draw(
        cls, ellipse: Ellipse, shape: tuple[int, int], pixel_size_mm: float, axial: float, rng: np.random.Generator
    ) -> "Beams":
        """A probe of random place whose sector holds the head.

        `axial` is the standard deviation of the point spread function along depth, px; the fields have two samples
        in that length, and two in the lateral one.
        """
        height, width = shape
        is_whole = rng.random() < 0.5  # else the picture is zoomed, and the sector's edges are out of frame
        face = height * (rng.uniform(0.0, 0.09) if is_whole else -rng.uniform(0.05, 0.5))
        start = rng.uniform(38, 75) / pixel_size_mm
        outline = ellipse.points(64)
        apex_x = width * rng.normal(0.488, 0.012)
        apex_y = min(face, float(outline[:, 1].min()) - 0.04 * height) - start
        x, y = outline[:, 0] - apex_x, outline[:, 1] - apex_y
        half_angle = math.atan2(width * (rng.uniform(0.34, 0.5) if is_whole else 0.55), height / 2 - apex_y)
        half_angle = max(half_angle, 1.05 * float(np.abs(np.arctan2(x, y)).max()))
        end = max(height * rng.uniform(0.94, 1.2) - apex_y, float(np.hypot(x, y).max()) + 0.03 * height)
        farthest = math.hypot(max(apex_x, width - apex_x), height - apex_y)
        lateral = (
            axial * rng.uniform(1.8, 2.8) / float(np.hypot(x, y).mean())
        )  # an angle, so that cells widen with depth
        depths = np.arange(max(start, -apex_y) - 2 * axial, min(end, farthest) + 2 * axial, axial / 2, dtype=np.float32)
        seen = min(half_angle, math.atan2(max(apex_x, width - apex_x), -apex_y)) if apex_y < 0 else half_angle
        angles = np.arange(-seen - lateral, seen + lateral, lateral / 2, dtype=np.float32)
        return cls(apex_x, apex_y, start, end, half_angle, depths[:, None], angles[None])

    @property
    def pixels(self) -> tuple[Field, Field]:
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

    def scan_convert(self, field: Field, shape: tuple[int, int]) -> Grey:
        """The field (depth, beam), 0 to 255, on the frame (height, width); black outside the sector."""
        x = np.arange(shape[1], dtype=np.float32) - np.float32(self.apex_x)
        y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(self.apex_y)
        radius, angle = np.hypot(x, y), np.arctan2(x, y)
        row = (radius - self.depths[0, 0]) / self.step
        column = (angle - self.angles[0, 0]) / (self.angles[0, 1] - self.angles[0, 0])
        frame = cv2.remap(field, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        frame[(radius < self.start) | (radius > self.end) | (np.abs(angle) > self.half_angle)] = 0
        return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Head:
    """Where each sample (depth, beam) lies with respect to the head."""

    ellipse: Ellipse
    circumference_mm: float
    thickness: float  # of the skull, px
    along: Field  # position along the long axis, -1 to 1 in the head
    across: Field  # position along the short axis, -1 to 1 in the head
    outside: Field  # distance from the outer skull boundary, px, negative within; to first order
    facing: Field  # cosine between the beam and the boundary's normal, -1 at the near side, 1 at the far side
    tilt: Field  # cosine between the beam and the short axis, (1, beam)

    @classmethod
    def seen(cls, ellipse: Ellipse, pixel_size_mm: float, beams: Beams) -> "Head":
        """The head as the beams see it."""
        x, y = beams.pixels
        cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
        x, y = x - ellipse.center_x, y - ellipse.center_y
        along = (x * cos + y * sin) / np.float32(ellipse.semi_axis_a)
        across = (y * cos - x * sin) / np.float32(ellipse.semi_axis_b)
        radius = np.hypot(along, across) + np.float32(1e-6)
        normal_along, normal_across = along / ellipse.semi_axis_a, across / ellipse.semi_axis_b
        length = np.hypot(normal_along, normal_across) + np.float32(1e-9)
        beam_along = np.sin(beams.angles) * cos + np.cos(beams.angles) * sin
        beam_across = np.cos(beams.angles) * cos - np.sin(beams.angles) * sin
        circumference_mm = ellipse.circumference * pixel_size_mm
        return cls(
            ellipse=ellipse,
            circumference_mm=circumference_mm,
            thickness=(0.4 + 0.0075 * circumference_mm) / pixel_size_mm,
            along=along,
            across=across,
            outside=(radius - 1) * radius / length,
            facing=(normal_along * beam_along + normal_across * beam_across) / length,
            tilt=np.abs(beam_across),
        )

    @property
    def is_early(self) -> bool:
        """Whether it is a head of the first trimester, which choroid plexus fills and whose skull is thin."""
        return self.circumference_mm < 98


@dataclass
class Scene:
    """What sends echoes, all (depth, beam): diffuse and mirror amplitude, and loss of intensity, dB / px."""

    scatter: Field
    mirror: Field
    loss: Field

    def put(self, where: Field, scatter: Field, mirror: Field) -> None:
        """Replace what is there, to the part `where`, 0 to 1."""
        self.scatter += where * (scatter - self.scatter)
        self.mirror += where * (mirror - self.mirror)

    def cast_shadows(self, step: float) -> None:
        """Weaken everything by what lies above it, at most by 25 dB; a beam's width blurs the shadows' edges."""
        lost = cv2.GaussianBlur(np.cumsum(self.loss, axis=0), (25, 1), 5, None, 1) * np.float32(step)
        weaker = 10 ** (-np.clip(lost, -8, 25) / np.float32(20))
        self.scatter, self.mirror = self.scatter * weaker, self.mirror * weaker


def _texture(rng: np.random.Generator, x: Field, y: Field) -> Field:
    """Smooth noise of mean 0 and standard deviation about 0.7 with one value in a unit of x and y."""
    tile = rng.standard_normal((TILE, TILE), np.float32)
    x, y = np.broadcast_arrays(x.astype(np.float32), y.astype(np.float32))
    return cv2.remap(tile, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP).astype(np.float32)


def _within(distance: Field, softness: float) -> Field:
    """1 where a distance is negative, 0 where it is positive, in between over `softness`."""
    return np.clip(np.float32(0.5) - distance / np.float32(softness), 0, 1)


def _womb(head: Head, beams: Beams, rng: np.random.Generator) -> Scene:
    """Maternal tissue in layers about a cavity of fluid that holds the head; the wall is bright where it faces."""
    x, y = beams.pixels
    size = head.ellipse.semi_axis_a
    roomy = head.is_early or rng.random() < 0.2
    half_width = size * (rng.uniform(1.2, 2.6) if roomy else rng.uniform(0.9, 1.3))
    half_height = size * (rng.uniform(0.9, 1.6) if roomy else rng.uniform(0.6, 0.9))
    dx = (x - head.ellipse.center_x - rng.normal(0, 0.3) * size) / half_width
    dy = (y - head.ellipse.center_y + rng.normal(0.05, 0.15) * size) / half_height
    wall = (np.hypot(dx, dy) - 1 + 0.2 * _texture(rng, x / size, y / size)) * half_height
    tissue = _within(-wall, rng.uniform(6, 30))

    flat, depth = beams.angles * rng.uniform(4, 9), beams.depths / rng.uniform(14, 30)
    layers = 0.55 * _texture(rng, flat, depth) + 0.6 * _texture(rng, x / 120, y / 80)
    near = np.exp(-(beams.depths - beams.start) / 60)  # reverberations between probe and skin
    layers = layers + near * _texture(rng, beams.angles * 3, beams.depths / 6)
    scatter = tissue * rng.uniform(0.5, 1.0) * np.exp(layers) + rng.uniform(0.01, 0.08)

    facing = np.abs(dx * np.sin(beams.angles) / half_width + dy * np.cos(beams.angles) / half_height)
    facing /= np.hypot(dx / half_width, dy / half_height) + np.float32(1e-6)
    fibres = np.maximum(_texture(rng, flat * 2, depth * 2) - np.float32(0.9), 0)
    edge = rng.uniform(0.5, 4) * facing**6 * np.exp(-np.square(wall / 4)) * np.exp(layers)
    mirror = edge + rng.uniform(0, 2) * tissue * fibres
    loss = np.where(tissue > 0.5, np.float32(0.006), np.float32(-0.014)) + np.zeros_like(scatter)
    return Scene(scatter, mirror, loss)


def _paint_limbs(scene: Scene, head: Head, rng: np.random.Generator) -> None:
    """Up to three other parts of the fetus, speckled lumps with a bright bone, beside the head."""
    for _ in range(int(rng.integers(0, 4))):
        direction, distance = rng.uniform(0, 2 * math.pi), rng.uniform(1.2, 1.7)
        long, short, turn = rng.uniform(0.15, 0.5), rng.uniform(0.08, 0.25), rng.uniform(0, math.pi)
        along, across = head.along - distance * math.cos(direction), head.across - distance * math.sin(direction)
        u, v = along * math.cos(turn) + across * math.sin(turn), across * math.cos(turn) - along * math.sin(turn)
        lump = _within(np.hypot(u / long, v / short) - 1, 0.5) * (head.outside > 3)
        bone = np.exp(-np.square(u / (0.5 * long)) - np.square(v / (0.25 * short)))
        scene.put(lump, rng.uniform(0.3, 1) * np.exp(_texture(rng, u * 14, v * 14)), 4 * bone)


def _paint_brain(scene: Scene, head: Head, beams: Beams, rng: np.random.Generator) -> None:
    """Brain, choroid plexus in dark ventricles, the midline and other surfaces, and haze below the near skull."""
    u, v = head.along * (1 if rng.random() < 0.5 else -1), head.across
    echo = rng.uniform(0.3, 0.5) if head.is_early else rng.uniform(0.14, 0.28)
    detail = 8 if head.is_early else 18  # the smaller head is nearer to the resolution
    brain = echo * np.exp(0.5 * _texture(rng, u * 5, v * 4) + 0.4 * _texture(rng, u * detail, v * detail) - 0.7 * u * u)
    place, long, short = (0.0, 0.55, 0.3) if head.is_early else (-0.35, 0.26, 0.12)
    for side in (-1, 1):
        du, dv = u - place - rng.normal(0, 0.06), v - side * rng.uniform(0.35, 0.45)
        dv = dv + side * rng.uniform(0, 0.4) * du
        lobes = 0.35 * _texture(rng, u * 5, v * 5)
        plexus = np.hypot(du / long, dv / short) - 1 + lobes
        brain *= 1 - rng.uniform(0.6, 0.9) * _within(plexus - np.float32(0.35), 0.3)
        brain += rng.uniform(0.2, 0.9) * _within(plexus, 0.4) * np.exp(lobes)
    toward = (beams.depths - math.hypot(head.ellipse.center_x - beams.apex_x, head.ellipse.center_y - beams.apex_y)) / (
        head.ellipse.semi_axis_b
    )
    haze = rng.uniform(0.1, 0.7) * np.exp(-np.square(np.maximum(toward + 1, 0) / rng.uniform(0.6, 1.1)))

    middle = np.exp(-np.square((v - 0.015 * _texture(rng, u, u * 0)) * head.ellipse.semi_axis_b / 2.2))
    middle *= _within(np.abs(u) - np.float32(0.8), 0.3) * np.maximum(0.6 + _texture(rng, u * 6, u * 0), 0)
    lines = np.maximum(_texture(rng, u * 6, v * 20) - np.float32(1.1), 0) * np.exp(-np.square(v / 0.5) - np.square(u))
    surfaces = rng.uniform(0.5, 3) * middle + rng.uniform(1, 5) * lines
    cavum = np.exp(-np.square((np.abs(v) - 0.07) / 0.02)) * _within(np.abs(u - rng.uniform(0.4, 0.55)) - 0.09, 0.06)
    if not head.is_early:
        surfaces = surfaces + rng.uniform(0, 4) * cavum
    inside = _within(head.outside + head.thickness * np.float32(0.6), 3)
    scene.put(inside, brain + haze, surfaces * head.tilt**3)
    scene.loss *= 1 - inside


def _paint_skull(scene: Scene, head: Head, rng: np.random.Generator) -> None:
    """Bone: a mirror that is bright where the beam meets it at a right angle, with patches; it casts shadows."""
    around = np.arctan2(head.across, head.along) * np.float32(TILE / (2 * math.pi))  # the texture closes on itself
    uneven = _texture(rng, around / 4, head.outside * 0)
    thickness = head.thickness * np.exp(0.2 * uneven)
    bone = _within(head.outside, 2) * _within(-thickness - head.outside, 4)
    patches = np.exp((0.6 if head.is_early else 0.35) * (uneven + _texture(rng, around / 2, head.outside * 0)))
    nearer = np.exp(rng.normal(0, 0.3) * head.facing)  # near and far side differ
    shine = (np.abs(head.facing) ** rng.uniform(2, 6) + np.float32(rng.uniform(0.01, 0.06))) * patches * nearer
    strength = rng.uniform(3, 9) if head.is_early else rng.uniform(6, 15)
    # The surfaces are rough: the echo swells and fades over the thickness, and is strongest in its middle.
    echo = np.float32(strength) * shine * np.exp(-np.square(1.2 + 2.4 * head.outside / thickness))
    scene.put(bone, 0.3 * echo + np.float32(0.25), echo)
    crossing = rng.uniform(0.5, 2) if head.is_early else rng.uniform(1.5, 4)
    scene.loss += bone * np.float32(crossing / head.thickness)


def _decorate(frame: Grey, rng: np.random.Generator) -> None:
    """Draw what the scanner shows beside the picture: grey bar, label, and a patch where text was blacked out."""
    height, width = frame.shape
    if rng.random() < 0.9:
        top, length = int(rng.integers(14, 30)), int(rng.integers(150, 190))
        frame[top : top + length, 4:12] = np.linspace(255, 0, length)[:, None]
    if rng.random() < 0.3:
        frame[24:46, 22:50] = 0
    else:
        cv2.putText(frame, "SIM C5-2", (108, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 24, 1)
    if rng.random() < 0.85:
        corner, bottom = (rng.uniform(0.75, 0.86), rng.uniform(0.79, 0.84)), rng.uniform(0.95, 1)
        frame[int(corner[1] * height) : int(bottom * height), int(corner[0] * width) :] = 0
    if rng.random() < 0.3:
        frame[: int(0.19 * height), int(rng.uniform(0.88, 0.95) * width) :] = 0
