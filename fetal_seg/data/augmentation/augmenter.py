"""Augmentation of training images: the only file that knows albumentations."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.registries import GREY_AUGMENTATIONS
from fetal_seg.data.augmentation import artefacts
from fetal_seg.data.augmentation.affine import RandomAffine, warp
from fetal_seg.geometry.arrays import Grey


class Augmenter:
    """Applies an augmentation whose random numbers are a function of the seed given with each image."""

    def __init__(self, keys: Augmentation) -> None:
        self._keys = keys
        self._pipeline = _pipeline(keys) if keys.enabled else None
        zoom = (1 / max(keys.scale, keys.zoom_out), keys.scale)
        self._affine = RandomAffine(keys.rotation_deg, zoom, keys.aspect, keys.shift)
        self._grey = [(keys.grey.get(name, 0.0), GREY_AUGMENTATIONS[name]) for name in GREY_AUGMENTATIONS.names()]

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
        for probability, change in self._grey:
            if rng.random() < probability:
                image = change(image, rng)
        return image, mask


def _pipeline(keys: Augmentation) -> Any:
    with _without_updates():
        import albumentations as albu

    steps: list[Any] = []
    if keys.flip:
        steps += [albu.HorizontalFlip(p=0.5), albu.VerticalFlip(p=0.5)]
    if keys.contrast:
        steps.append(albu.RandomBrightnessContrast(0.0, keys.contrast, p=0.5))
    if keys.brightness:
        steps.append(albu.RandomBrightnessContrast((0.0, keys.brightness), 0.0, p=0.3))
    if keys.gamma > 1:
        steps.append(albu.RandomGamma((100 / keys.gamma, 100 * keys.gamma), p=0.5))
    if keys.noise:
        steps.append(albu.MultiplicativeNoise((1 - keys.noise, 1 + keys.noise), elementwise=True, p=0.5))
    if keys.blur:
        steps.append(albu.GaussianBlur(blur_limit=0, sigma_limit=(0.1, keys.blur), p=0.3))
    return albu.Compose(steps)


@contextlib.contextmanager
def _without_updates() -> Iterator[None]:
    """Keep albumentations from asking the network for news at import; the environment is as before afterwards."""
    key = "NO_ALBUMENTATIONS_UPDATE"
    before = os.environ.get(key)
    os.environ[key] = before or "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]
