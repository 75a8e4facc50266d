"""The images that contenders disagree on most, with what some of them made of these images."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fetal_seg.config.choices import Choice
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record, records_named
from fetal_seg.errors import InputError
from fetal_seg.evaluation.contenders import DICE, Contender, Image, common_images
from fetal_seg.evaluation.scoring import compare
from fetal_seg.images.drawing import overlay
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.report.pictures import Panel

COUNT = 6  # images
TILE = (420, 284)  # px, HC18's shape
QUALITY = 85  # of a JPEG, of 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tile:
    """One contender's prediction of one image: a JPEG, and its Dice in per cent."""

    label: str
    jpeg: bytes
    dice: float


@dataclass(frozen=True)
class Disagreement:
    """An image, the spread (standard deviation) of the contenders' Dice on it in per cent, and some predictions."""

    file: str
    spread: float
    tiles: tuple[Tile, ...]


def most_disagreed(contenders: Sequence[Contender], count: int = COUNT) -> list[tuple[Image, float]]:
    """The images whose Dice differs most between contenders, with its standard deviation in per cent."""
    contenders = [each for each in contenders if not each.mostly_missed]  # they disagree with all others everywhere
    images = sorted(common_images(contenders)) if len(contenders) > 1 else []
    spreads = [
        (image, 100 * float(np.std([each.scores[DICE.column][image] for each in contenders]))) for image in images
    ]
    return sorted((each for each in spreads if each[1] > 0), key=lambda each: -each[1])[:count]


def draw_disagreements(contenders: Sequence[Contender], checkpoints: Sequence[Path]) -> tuple[list[Disagreement], str]:
    """Draw what the best, the median and the worst contender made of the images with the largest spread.

    Contenders that mostly missed the head are left out.

    Args:
        contenders: best first, measured on the same images.
        checkpoints: one of each contender's.

    Returns:
        What was drawn; and "", or why nothing was, in a sentence.
    """
    chosen = most_disagreed(contenders)
    if not chosen:
        return [], "There is no image on which contenders that can be compared differ."
    able = [place for place, each in enumerate(contenders) if not each.mostly_missed]
    places = dict.fromkeys((able[0], able[(len(able) - 1) // 2], able[-1]))
    tiles: dict[Image, list[Tile]] = {image: [] for image, _ in chosen}
    try:
        records = _records(checkpoints[able[0]], [file for (file, _), _ in chosen])
        for place in places:
            predictor = Predictor.load(checkpoints[place])
            compared = compare(predictor, records)
            for (image, _), found in zip(chosen, compared, strict=True):
                panel = Panel(
                    found.image, "", mask=found.prediction.mask, prediction=found.prediction.ellipse, truth=found.truth
                )
                dice = 100 * float(found.scores["ellipse_dice"])
                tiles[image].append(Tile(contenders[place].label, _jpeg(panel), dice))
    except (InputError, OSError) as error:
        logger.info("no overlays: %s", error)
        return [], f"The images cannot be drawn: {error}."
    return [Disagreement(image[0], spread, tuple(tiles[image])) for image, spread in chosen], ""


def _records(checkpoint: Path, names: Sequence[str]) -> list[Record]:
    """Records of a checkpoint's own data.

    Raises:
        InputError: the checkpoint or the data are no longer there.
    """
    data = read_checkpoint(checkpoint).description.data.source.to_dict()
    try:
        return records_named(load_records(Choice.from_dict(data), cache_folder(data.get("cache_dir"))), names)
    except KeyError as error:
        raise InputError(f"{checkpoint} does not say where its data are (no {error})") from error


def _jpeg(panel: Panel) -> bytes:
    small = panel.fitted(*TILE)
    drawn = overlay(small.image, mask=small.mask, prediction=small.prediction, truth=small.truth)
    _, encoded = cv2.imencode(".jpg", drawn[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
