"""Augmentation of training images: the only file that knows albumentations."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from fetal_seg.data.augmentation import artefacts
from fetal_seg.data.augmentation.affine import RandomAffine, warp
from fetal_seg.geometry.arrays import Grey

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for news at import


@dataclass(frozen=True)
class Augmentation:
    """What is done to a training image and, where it moves pixels, to its mask alike.

    Attributes:
        enabled: the one key that turns everything off.
        flip: mirror left-right, and top-bottom, each with probability 0.5.
        rotation_deg: rotate by up to this angle either way, degrees, 0 to 180.
        scale: zoom by up to this factor in or out, at least 1.
        zoom_out: zoom out by up to this factor where it is more than `scale`, at least 1.
        aspect: stretch one axis against the other by up to this factor, at least 1.
        shift: move by up to this part of the size, 0 to 0.5.
        gamma: grey values to a power between 1/gamma and gamma, at least 1.
        contrast: gain between 1 - contrast and 1 + contrast, 0 to 1.
        brightness: black raised by up to this part of the range of grey values, 0 to 1.
        noise: standard deviation of multiplicative noise as speckle is, up to this, 0 to 1.
        blur: standard deviation of a Gaussian blur up to this, px of the network's size.
        gain, shadow, speckle, marks: probability of each of these artefacts, 0 to 1; see ``data.artefacts``.
        sector: probability that all is black outside of a sector that holds the head, 0 to 1.
        negatives: probability that the image is replaced by one without a head, and its mask emptied, 0 to 1.
    """

    enabled: bool = True
    flip: bool = True
    rotation_deg: float = 30.0
    scale: float = 1.25
    zoom_out: float = 1.0
    aspect: float = 1.0
    shift: float = 0.08
    gamma: float = 1.5
    contrast: float = 0.2
    brightness: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    gain: float = 0.0
    shadow: float = 0.0
    speckle: float = 0.0
    marks: float = 0.0
    sector: float = 0.0
    negatives: float = 0.0

    def build(self) -> "Augmenter":
        """Make the transform; it is slow to import, so not before it is needed."""
        return Augmenter(self._pipeline(), self) if self.enabled else Augmenter(None, self)

    def _pipeline(self) -> Any:
        import albumentations as albu

        steps: list[Any] = []
        if self.flip:
            steps += [albu.HorizontalFlip(p=0.5), albu.VerticalFlip(p=0.5)]
        if self.contrast:
            steps.append(albu.RandomBrightnessContrast(0.0, self.contrast, p=0.5))
        if self.brightness:
            steps.append(albu.RandomBrightnessContrast((0.0, self.brightness), 0.0, p=0.3))
        if self.gamma > 1:
            steps.append(albu.RandomGamma((100 / self.gamma, 100 * self.gamma), p=0.5))
        if self.noise:
            steps.append(albu.MultiplicativeNoise((1 - self.noise, 1 + self.noise), elementwise=True, p=0.5))
        if self.blur:
            steps.append(albu.GaussianBlur(blur_limit=0, sigma_limit=(0.1, self.blur), p=0.3))
        return albu.Compose(steps)


class Augmenter:
    """Applies a transform whose random numbers are a function of the seed given with each image."""

    def __init__(self, pipeline: Any, keys: Augmentation) -> None:
        self._pipeline, self._keys = pipeline, keys
        zoom = (1 / max(keys.scale, keys.zoom_out), keys.scale)
        self._affine = RandomAffine(keys.rotation_deg, zoom, keys.aspect, keys.shift)
        self._artefacts = (
            (keys.gain, artefacts.change_gain),
            (keys.shadow, artefacts.add_shadow),
            (keys.speckle, artefacts.add_speckle),
            (keys.marks, artefacts.add_marks),
        )

    def __call__(self, image: Grey, mask: Grey, seed: int) -> tuple[Grey, Grey]:
        """Transform an image and its mask, both (height, width) uint8, alike."""
        if self._pipeline is None:
            return image, mask
        rng = np.random.default_rng(seed)
        matrix = self._affine.sample(image.shape, rng)
        image, mask = warp(image, matrix), warp(mask, matrix)
        self._pipeline.set_random_seed(seed)
        changed = self._pipeline(image=image, mask=mask)
        image, mask = np.ascontiguousarray(changed["image"]), np.ascontiguousarray(changed["mask"])
        if rng.random() < self._keys.negatives:
            image, mask = artefacts.without_head(image, mask, rng), np.zeros_like(mask)
        if rng.random() < self._keys.sector:
            image = artefacts.cut_sector(image, mask, rng)
        for probability, change in self._artefacts:
            if rng.random() < probability:
                image = change(image, rng)
        return image, mask
