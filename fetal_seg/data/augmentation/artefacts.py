"""What other scanners, hospitals and hands do to an image, and images that show no head: for training.

Images are grey (height, width) uint8 at the network's size, masks alike; every function returns a new image. An
augmentation of grey values is a function ``(image, rng)`` that is registered here; its name is a key of
``conf/augmentation``, which holds its probability. The order is that of the functions.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.config.registries import GREY_AUGMENTATIONS
from fetal_seg.geometry.arrays import Grey

Field = NDArray[np.floating]


@GREY_AUGMENTATIONS.register("gain")
def change_gain(image: Grey, rng: np.random.Generator, decibels: float = 8.0) -> Grey:
    """Turn the gain up and down over depth and width, by up to about `decibels` of grey value, smoothly."""
    return _times(image, 10 ** (decibels / 20 * np.clip(_smooth(image.shape, rng, cells=3), -1.5, 1.5)))


@GREY_AUGMENTATIONS.register("shadow")
def add_shadow(image: Grey, rng: np.random.Generator) -> Grey:
    """Darken a sector that widens from the probe's side downwards, as behind a rib or a poor contact."""
    height, width = image.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    apex_x, apex_y, start = width * rng.uniform(0.1, 0.9), -height * rng.uniform(0.2, 1.0), height * rng.uniform(0, 0.5)
    angle = np.arctan2(x - apex_x, y - apex_y) - rng.uniform(-0.5, 0.5)
    inside = 1 / (1 + np.exp(np.clip((np.abs(angle) - rng.uniform(0.03, 0.15)) / 0.02, -30, 30)))
    below = np.clip((y - start) / (0.1 * height), 0, 1)
    return _times(image, 1 - rng.uniform(0.4, 0.95) * inside * below)


@GREY_AUGMENTATIONS.register("speckle")
def add_speckle(image: Grey, rng: np.random.Generator) -> Grey:
    """Multiply by noise whose grains are one to four px broad, as another probe's frequency would."""
    noise = rng.standard_normal(image.shape, np.float32)
    sigma = (rng.uniform(0.4, 1.0), rng.uniform(0.4, 1.8))
    grains = cv2.GaussianBlur(noise, (0, 0), sigma[1], None, sigma[0])
    return _times(image, 1 + rng.uniform(0.1, 0.45) * grains / max(float(grains.std()), 1e-6))


def cut_sector(image: Grey, mask: Grey, rng: np.random.Generator) -> Grey:
    """Blacken what lies outside of a sector that holds the head, as another probe's field of view would."""
    height, width = image.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    right, down = x - width * np.float32(rng.uniform(0.3, 0.7)), y + height * np.float32(rng.uniform(0.02, 1.0))
    head = mask > 0 if mask.any() else np.hypot(x - width / 2, y - height / 2) < height / 4
    inside = np.ones(image.shape, bool)
    for coordinate in (np.hypot(right, down), np.arctan2(right, down)):  # radius and angle about the probe
        low, high = coordinate[head].min(), coordinate[head].max()
        inside &= coordinate >= low - rng.uniform(0.02, 1) * (low - coordinate.min())
        inside &= coordinate <= high + rng.uniform(0.02, 1) * (coordinate.max() - high)
    return np.where(inside, image, 0).astype(np.uint8)


@GREY_AUGMENTATIONS.register("marks")
def add_marks(image: Grey, rng: np.random.Generator) -> Grey:
    """Burn in what scanners and sonographers leave: text, callipers with dotted lines, a grey bar."""
    marked = image.copy()
    height, width = image.shape
    for _ in range(rng.integers(0, 4)):
        text = "".join(rng.choice(list("ABCDEFHC0123456789 .:cm"), rng.integers(3, 14)))
        position = (int(rng.uniform(0, 0.9) * width), int(rng.uniform(0.05, 1) * height))
        font, size, grey = int(rng.integers(0, 4)), float(rng.uniform(0.25, 0.6)), int(rng.integers(90, 256))
        cv2.putText(marked, text, position, font, size, grey)
    for _ in range(rng.integers(0, 3)):
        ends = rng.uniform((0.05, 0.05), (0.95, 0.95), (2, 2)) * (width, height)
        for x, y in ends.astype(int):
            cv2.drawMarker(marked, (int(x), int(y)), 255, int(rng.integers(0, 2)), int(rng.integers(4, 9)))
        for weight in np.linspace(0, 1, rng.integers(10, 40)) if rng.random() < 0.6 else ():
            x, y = ((1 - weight) * ends[0] + weight * ends[1]).astype(int)
            marked[y, x] = 230
    if rng.random() < 0.3:
        length, left = int(rng.uniform(0.2, 0.8) * height), int(rng.choice([2, width - 8]))
        marked[4 : 4 + length, left : left + 4] = np.linspace(255, 0, length)[:, None][: height - 4]
    return marked


def without_head(image: Grey, mask: Grey, rng: np.random.Generator) -> Grey:
    """An image that shows no head, made of one that does: what must be answered with an empty mask.

    It is one of: a part beside the head, enlarged; tiles in another order; a round body without a skull in the
    head's place, an abdomen say; or noise and gradients without any echo.

    Args:
        image, mask: as they are before or after other augmentation; the mask's values are coverage, 0 to 255.
    """
    kind = rng.random()
    if kind < 0.3:
        return _scrambled(image, mask, rng)
    if kind < 0.5:
        return _beside(image, mask, rng)
    if kind < 0.85:
        return _soft_body(image, mask, rng)
    return _no_echo(image.shape, rng)


def _scrambled(image: Grey, mask: Grey, rng: np.random.Generator) -> Grey:
    """The tiles of the image in another order, each perhaps mirrored; none is large enough to show a head."""
    area = np.count_nonzero(mask > 127) or mask.size / 6
    side = rng.uniform(0.4, 0.65) * math.sqrt(area)
    rows, columns = (max(2, math.ceil(size / max(side, 8))) for size in image.shape)
    height, width = image.shape[0] // rows, image.shape[1] // columns
    tiles = [(row * height, column * width) for row in range(rows) for column in range(columns)]
    scrambled = np.zeros_like(image)
    for (top, left), source in zip(tiles, rng.permutation(len(tiles)), strict=True):
        y, x = tiles[source]
        tile = image[y : y + height, x : x + width]
        scrambled[top : top + height, left : left + width] = tile[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    return scrambled


def _beside(image: Grey, mask: Grey, rng: np.random.Generator) -> Grey:
    """A window that holds none of the head, or a scrambled image where there is none."""
    height, width = image.shape
    for _ in range(12):
        scale = rng.uniform(0.2, 0.45)
        rows, columns = int(scale * height), int(scale * width)
        top, left = int(rng.integers(0, height - rows)), int(rng.integers(0, width - columns))
        window = image[top : top + rows, left : left + columns]
        if mask[top : top + rows, left : left + columns].max() == 0 and window.mean() > 8:
            return np.asarray(cv2.resize(window, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return _scrambled(image, mask, rng)


def _soft_body(image: Grey, mask: Grey, rng: np.random.Generator) -> Grey:
    """The image with a round body of tissue over the head: a soft rim, a bubble of fluid, a spine, no skull."""
    height, width = image.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    inside = np.argwhere(mask > 127)
    center = inside.mean(axis=0) if len(inside) else np.array([height, width]) / 2
    size = 1.15 * math.sqrt(max(len(inside), 900) / math.pi)
    squeeze = rng.uniform(0.85, 1.15)
    radius = np.hypot((x - center[1]) * squeeze, (y - center[0]) / squeeze) / size
    radius *= 1 + 0.05 * _smooth(image.shape, rng, cells=6)
    texture = cv2.GaussianBlur(_scrambled(image, mask, rng), (0, 0), 4.0).astype(np.float32)
    tissue = np.clip(0.5 * texture + rng.uniform(25, 80) * (1 + 0.4 * _smooth(image.shape, rng, cells=8)), 0, 255)
    grains = cv2.GaussianBlur(rng.standard_normal(image.shape, np.float32), (0, 0), rng.uniform(0.6, 1.2))
    body = tissue * (1 + 0.6 * grains)
    body *= 1 + rng.uniform(0, 0.8) * np.exp(-(((radius - 0.97) / 0.04) ** 2)) * _smooth(image.shape, rng, cells=5)
    for _ in range(rng.integers(1, 4)):  # stomach, gall bladder, vessels
        body *= 1 - 0.9 * _blob(x, y, center, size, rng, 0.08, 0.3)
    for _ in range(rng.integers(0, 4)):  # vertebra and ribs, with their shadows
        body += 150 * _blob(x, y, center, size, rng, 0.03, 0.1)
    weight = np.clip((1.04 - radius) / 0.08, 0, 1)
    return np.asarray(np.clip(image * (1 - weight) + body * weight, 0, 255), np.uint8)


def _blob(
    x: Field, y: Field, center: Field, size: float, rng: np.random.Generator, smallest: float, largest: float
) -> Field:
    """A soft spot of 0 to 1 somewhere in the body; its half-axes are parts of the body's `size`."""
    away, turn = size * rng.uniform(0, 0.75), rng.uniform(0, 2 * math.pi)
    dx, dy = x - center[1] - away * math.cos(turn), y - center[0] - away * math.sin(turn)
    half_x, half_y = size * rng.uniform(smallest, largest, 2)
    return np.asarray(np.clip(1.5 * (1.3 - np.hypot(dx / half_x, dy / half_y)), 0, 1))


def _no_echo(shape: tuple[int, ...], rng: np.random.Generator) -> Grey:
    """Nothing, a gradient, or noise of any grain."""
    noise = rng.standard_normal(shape, np.float32)
    grains = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.3, 12)) if rng.random() < 0.7 else noise
    level = rng.uniform(0, 160) * (1 + rng.uniform(0, 1) * _smooth(shape, rng, cells=2))
    return np.clip(level + rng.uniform(0, 60) * grains / max(float(grains.std()), 1e-6), 0, 255).astype(np.uint8)


def _smooth(shape: tuple[int, ...], rng: np.random.Generator, cells: int) -> Field:
    """Smooth noise of mean 0 and deviation about 0.7, with about `cells` hills each way."""
    seeds = rng.standard_normal((cells, cells), np.float32)
    return np.asarray(cv2.resize(seeds, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _times(image: Grey, factor: Field) -> Grey:
    return np.clip(np.rint(image * factor), 0, 255).astype(np.uint8)
