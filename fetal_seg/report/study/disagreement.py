"""Pictures of the images that contenders disagree on most."""

from dataclasses import dataclass

import cv2

from fetal_seg.evaluation.disagreement import ContenderPrediction, Disagreement
from fetal_seg.images.drawing import overlay
from fetal_seg.report.page import data_uri
from fetal_seg.report.pictures import Panel

TILE = (420, 284)  # px, HC18's shape
QUALITY = 85  # of a JPEG, of 100


@dataclass(frozen=True)
class Tile:
    """One contender's prediction of one image: which of the contenders it is, a JPEG, and its Dice in per cent."""

    which: str
    label: str
    uri: str
    dice: float


def draw_tiles(disagreement: Disagreement) -> list[Tile]:
    """A tile for each prediction of the image, best first."""
    names = ("best", "median", "worst") if len(disagreement.predictions) == 3 else ("best", "worst")
    return [
        Tile(name, shown.label, data_uri(_jpeg(disagreement, shown), "image/jpeg"), shown.dice)
        for name, shown in zip(names, disagreement.predictions, strict=True)
    ]


def _jpeg(disagreement: Disagreement, shown: ContenderPrediction) -> bytes:
    prediction = shown.prediction
    panel = Panel(disagreement.image, "", prediction.mask, prediction.ellipse, disagreement.truth).fitted(*TILE)
    drawn = overlay(panel.image, mask=panel.mask, prediction=panel.prediction, truth=panel.truth)
    _, encoded = cv2.imencode(".jpg", drawn[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
