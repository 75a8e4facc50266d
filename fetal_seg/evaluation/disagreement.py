"""The images that contenders disagree on most, with what some of them made of these images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fetal_seg.evaluation.contenders import Contender, ImageKey, common_images
from fetal_seg.evaluation.metrics import ELLIPSE_DICE
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement.result import Prediction

COUNT = 6  # images


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class ContenderPrediction:
    """What one contender made of an image, and its Dice in per cent."""

    label: str
    prediction: Prediction
    dice: float


@dataclass(frozen=True, eq=False)
class Disagreement:
    """An image that contenders see differently.

    Attributes:
        file: its name.
        spread: standard deviation of the contenders' Dice on it, per cent.
        image: grey values (height, width), uint8.
        truth: the sonographer's ellipse, px.
        predictions: of the best contender, the median one and the worst.
    """

    file: str
    spread: float
    image: Grey
    truth: Ellipse
    predictions: tuple[ContenderPrediction, ...]


@dataclass(frozen=True, eq=False)
class Disagreements:
    """The images with the largest spread; where there is none, a sentence that says why."""

    images: tuple[Disagreement, ...] = ()
    why_none: str = ""


def most_disagreed(contenders: Sequence[Contender], count: int = COUNT) -> list[tuple[ImageKey, float]]:
    """The images whose Dice differs most between contenders, with its standard deviation in per cent."""
    able = [contender for contender in contenders if not contender.mostly_missed]  # others differ everywhere
    images = sorted(common_images(able)) if len(able) > 1 else []
    dice = [contender.scores[ELLIPSE_DICE.column] for contender in able]
    spreads = [(image, 100 * float(np.std([of_image[image] for of_image in dice]))) for image in images]
    return sorted((pair for pair in spreads if pair[1] > 0), key=lambda pair: -pair[1])[:count]
