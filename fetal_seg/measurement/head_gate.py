"""Whether what was found is a fetal head in its standard plane, by what the network's encoder holds in and about it.

A network that was trained on heads alone fits an ellipse to an abdomen as well: it is round, bright at its edge, and
lies in the same place. Its encoder tells the two apart nevertheless; a logistic regression on a few statistics of its
features does (``docs/measurement.md``). ``inference.gate_fitting`` makes the gate.
Notation: features are arrays (channels, h, w) of one image at several strides; a region is a mask (height, width)
uint8 of 0 and 1 at the network's size.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from pydantic import StrictFloat, StrictInt, StrictStr
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import Names, Numbers, PlainData
from fetal_seg.geometry.arrays import FloatArray, Grey
from fetal_seg.measurement.quality import Limits

STRIDES = (8, 16, 32)  # px of the image to one of the features: what lies between a skull's edge and the whole head
POOLING = "mean inside, at the edge, around, deviation inside; strides 8, 16, 32"  # what `pool` gives
EDGE = 0.12  # how far the edge reaches in and out, by the root of the region's area


@dataclass(frozen=True)
class HeadGate(PlainData):
    """A logistic regression on the features that `pool` gives.

    Attributes:
        pooling: what the features are, `POOLING`; a gate on others says nothing here.
        weights, bias: of the log odds that it is a head.
        limits: of the probability.
        heads, others: numbers of images that it was fitted on.
        images: digests of those of them that are in the folder of other planes, sorted.
    """

    pooling: StrictStr
    weights: Numbers
    bias: StrictFloat
    limits: Limits
    heads: StrictInt
    others: StrictInt
    images: Names = ()

    def probability(self, features: Sequence[FloatArray], region: Grey) -> float | None:
        """The probability, 0 to 1, that a region is a head; None where the features are not those of the gate."""
        if self.pooling != POOLING:
            return None
        pooled = pool(features, region)
        if len(pooled) != len(self.weights):
            return None
        return float(sigmoid(pooled @ np.array(self.weights) + self.bias))


def pool(features: Sequence[FloatArray], region: Grey) -> FloatArray:
    """Statistics of all features about a region, (k,): four for each channel of the levels at `STRIDES`.

    The means of each feature inside, at the edge and around, and its deviation inside. Regions on the coarse grids
    are weights, the part of each cell that they cover; those of one grid are made of the finer one's.
    """
    reach = np.ones((2 * int(EDGE * math.sqrt(float(cv2.countNonZero(region)))) + 1,) * 2, np.uint8)
    wider, core = cv2.dilate(region, reach), cv2.erode(region, reach)
    covered: FloatArray = np.asarray(cv2.merge([region, wider - core, wider - region]), np.float32)
    statistics: list[FloatArray] = [np.empty(0)]
    for number in at_strides([level.shape[-1] for level in features], region.shape[1]):
        level = features[number]
        covered = np.asarray(cv2.resize(covered, level.shape[:0:-1], interpolation=cv2.INTER_AREA), np.float32)
        statistics.append(_statistics(level, covered))
    return np.concatenate(statistics)


def at_strides(widths: Sequence[int], width: int) -> list[int]:
    """Which of the encoder's levels, by their widths, of images of a width, px, are at `STRIDES`."""
    return [number for number, of in enumerate(widths) if 2 ** round(math.log2(width / of)) in STRIDES]


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """Probabilities of log odds, without an overflow."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(log_odds) / 2)))


def _statistics(level: FloatArray, covered: FloatArray) -> FloatArray:
    """(4 * channels,) of a level (channels, h, w), by what three regions cover of each cell, (h, w, 3)."""
    values = level.reshape(len(level), -1).astype(np.float32)
    shares = covered.reshape(-1, 3)
    shares = shares / np.maximum(shares.sum(axis=0), 1e-6)
    means = values @ shares
    squares = (values * values) @ shares[:, 0]
    deviation = np.sqrt(np.maximum(squares - means[:, 0] ** 2, 0))
    return np.concatenate([means.T.ravel(), deviation])
