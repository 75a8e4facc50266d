"""How unlike the heads that a network knows a region is, by simple statistics of the grey values in and about it.

What lies farther away, black borders or a scanner's screen, says nothing about a head, and is not looked at.
Arrays: images are (height, width) uint8 at the network's size; features are (n, k).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from pydantic import StrictFloat
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import Numbers, PlainData
from fetal_seg.geometry.arrays import FloatArray, Grey, grey_quantiles

QUANTILES = (0.25, 0.5, 0.75, 0.95, 0.99)
LEAST_HEADS = 60  # for the covariance of 11 features to mean something
KNOWN = 0.99  # part of the known images that count as known
SURROUNDINGS = 0.15  # of the region's width and height, on each side
SIDE = 128  # px of the square that features are taken of
SCANNER_SETTINGS = (
    (1.0, 1.0),
    (0.6, 1.0),
    (1.7, 1.0),
    (1.0, 0.5),
    (1.0, 1.6),
)  # gamma and gain


@dataclass(frozen=True)
class AppearanceModel(PlainData):
    """How known heads look.

    Attributes:
        mean, precision: of their features, (k) and (k, k).
        largest: the distance from the mean that `KNOWN` of all features stay below, each seen from the others.
    """

    mean: Numbers
    precision: tuple[Numbers, ...]
    largest: StrictFloat


def about(image: Grey, region: Grey) -> Grey:
    """The picture of a region and its surroundings, scaled to a square; `region` is not 0 where it is."""
    left, top, width, height = cv2.boundingRect(region)
    across, down = math.ceil(SURROUNDINGS * width), math.ceil(SURROUNDINGS * height)
    rows = slice(max(top - down, 0), top + height + down)
    columns = slice(max(left - across, 0), left + width + across)
    return np.asarray(cv2.resize(image[rows, columns], (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def known_features(image: Grey, region: Grey) -> FloatArray:
    """Features (len(SCANNER_SETTINGS), k) of a known head, as it is and as a scanner shows it at other settings."""
    grey = about(image, region).astype(np.float32) / 255
    shown = (np.clip(np.rint(255 * gain * grey**gamma), 0, 255).astype(np.uint8) for gamma, gain in SCANNER_SETTINGS)
    return np.array([features(picture) for picture in shown])


def novelty_score(image: Grey, region: Grey, model: AppearanceModel) -> float:
    """How unlike the known heads of `fit` a region looks: 1 at the most unlike of these."""
    return distance(model, features(about(image, region))) / model.largest


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
    quantiles = grey_quantiles(image, QUANTILES) / 255
    return np.array([*np.sqrt(quantiles), grey.mean(), grey.std(), *detail, direction], np.float64)


def fit(heads: Sequence[FloatArray]) -> AppearanceModel | None:
    """The model of the features (m, k) of each known head.

    Returns:
        None where there are fewer heads than `LEAST_HEADS`, or a feature does not vary.
    """
    if len(heads) < LEAST_HEADS:
        return None
    rows = np.concatenate(heads).astype(np.float64)
    if (rows.std(axis=0) < 1e-9).any():
        return None
    mean, precision = rows.mean(axis=0), np.linalg.pinv(np.cov(rows.T))
    model = AppearanceModel(tuple(mean.tolist()), tuple(map(tuple, precision.tolist())), largest=1.0)
    distances = np.array([distance(model, row) for row in rows])
    return replace(model, largest=float(np.quantile(_left_out(distances), KNOWN)))


def distance(model: AppearanceModel, row: FloatArray) -> float:
    """Mahalanobis' distance of features (k,) from the known heads' mean."""
    difference = np.asarray(row, np.float64) - np.array(model.mean)
    return float(np.sqrt(max(difference @ np.array(model.precision) @ difference, 0.0)))


def _left_out(distances: FloatArray) -> FloatArray:
    """Distances (n,) of images from the mean of all others, from those of the mean of all.

    By Sherman and Morrison's formula, for the covariance with n - 1.
    """
    n, squared = float(len(distances)), distances**2
    shrunk = np.maximum(1 - n * squared / (n - 1) ** 2, 1e-9)
    return np.asarray(np.sqrt((n - 2) * n**2 / (n - 1) ** 3 * squared / shrunk))
