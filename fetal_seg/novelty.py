"""How unlike the images that a network knows an image is, by simple statistics of its grey values.

Arrays: images are (height, width) uint8 at the network's size; features are (n, k).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.imageio import Grey

FloatArray = NDArray[np.floating]

QUANTILES = (0.25, 0.5, 0.75, 0.95, 0.99)
LEAST_IMAGES = 60  # for the covariance of 11 features to mean something
KNOWN = 0.99  # part of the known images that count as known


def features(image: Grey) -> FloatArray:
    """Eleven numbers (k,): quantiles, mean and deviation of the grey values, detail at three scales, its direction."""
    grey = image.astype(np.float32) / 255
    detail = []
    level: FloatArray = grey
    for _ in range(3):
        coarse = np.asarray(cv2.pyrDown(level), np.float32)
        fine = level - cv2.pyrUp(coarse, dstsize=(level.shape[1], level.shape[0]))
        detail.append(np.log(np.abs(fine).mean() + 1e-4))
        level = coarse
    dx, dy = np.abs(np.diff(grey, axis=1)).mean(), np.abs(np.diff(grey, axis=0)).mean()
    direction = np.log((dx + 1e-4) / (dy + 1e-4))
    quantiles = np.quantile(grey, QUANTILES)
    return np.array([*np.sqrt(quantiles), grey.mean(), grey.std(), *detail, direction], np.float64)


def fit(known: FloatArray) -> dict[str, Any] | None:
    """What `distance` needs to know of the known images' features (n, k), as plain lists and numbers.

    ``largest`` is the distance that `KNOWN` of the images stay below, each seen from the others.

    Returns:
        None where there are fewer than `LEAST_IMAGES`, or a feature does not vary.
    """
    known = np.asarray(known, np.float64)
    if len(known) < LEAST_IMAGES or (known.std(axis=0) < 1e-9).any():
        return None
    mean, precision = known.mean(axis=0), np.linalg.pinv(np.cov(known.T))
    seen = {"mean": mean.tolist(), "precision": precision.tolist()}
    own = np.array([distance(seen, row) for row in known])
    return {**seen, "largest": float(np.quantile(_left_out(own, len(known)), KNOWN))}


def distance(known: dict[str, Any], row: FloatArray) -> float:
    """Mahalanobis' distance of features (k,) from the known images' mean."""
    difference = np.asarray(row, np.float64) - np.array(known["mean"])
    return float(np.sqrt(max(difference @ np.array(known["precision"]) @ difference, 0.0)))


def _left_out(own: FloatArray, count: int) -> FloatArray:
    """Distances (n,) of images from the mean of all others, from those of the mean of all.

    By Sherman and Morrison's formula, for the covariance with n - 1.
    """
    n, squared = float(count), own**2
    shrunk = np.maximum(1 - n * squared / (n - 1) ** 2, 1e-9)
    return np.sqrt((n - 2) * n**2 / (n - 1) ** 3 * squared / shrunk)
