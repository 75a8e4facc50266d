"""What held-out images teach about a network's errors: kept in its checkpoint."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import Names, PlainData
from fetal_seg.geometry.arrays import FloatArray, Grey, pixel_digest
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement import conformal, novelty
from fetal_seg.measurement.conformal import IntervalScores
from fetal_seg.measurement.head_gate import HeadGate
from fetal_seg.measurement.novelty import AppearanceModel
from fetal_seg.measurement.quality import Limits

INTERVAL_COLUMNS = ("hc_pred_mm", "confidence", "hc_true_mm")  # what intervals are made of

CONFIDENCE_MARGIN = 0.1  # of confidence, between the least sure head and what is none
REVIEWED = 0.02  # part of the heads


@dataclass(frozen=True)
class Calibration(PlainData):
    """What held-out images taught about a network's errors; None where there were too few of them.

    Attributes:
        interval: errors of circumferences, None where no circumference is known.
        confidence: of heads that are to be looked at, the least sure `REVIEWED` of them, and of what is none,
            `CONFIDENCE_MARGIN` below any head's.
        appearance: of the heads.
        images: digests of the images whose errors by this network intervals are made of, sorted; none where they are
            made of a cross-validation, in which other networks measured.
        gate: tells heads from other planes; None where the checkpoint was shown none.
    """

    interval: IntervalScores | None = None
    confidence: Limits | None = None
    appearance: AppearanceModel | None = None
    images: Names = ()
    gate: HeadGate | None = None

    def without_rejection(self) -> "Calibration":
        """The same, but what the head gate takes for another plane is measured all the same, and to be looked at."""
        if self.gate is None:
            return self
        return replace(self, gate=replace(self.gate, limits=replace(self.gate.limits, reject_below=0.0)))


class Calibrator:
    """Gathers what is needed of each image of an evaluation, so that none has to be kept.

    Attributes:
        images: a digest of each image's pixels, in order.
    """

    def __init__(self, letterbox: Letterbox) -> None:
        self._letterbox = letterbox
        self._appearances: list[FloatArray] = []
        self.images: list[str] = []

    def add(self, image: Grey, mask: Grey) -> None:
        """Take note of an image, and of how the head in it looks, if one was found; both (height, width)."""
        region = (self._letterbox.apply(255 * (mask > 0).astype(np.uint8)) > 127).astype(np.uint8)
        if region.any():
            self._appearances.append(novelty.known_features(self._letterbox.apply(image), region))
        self.images.append(pixel_digest(image))

    def result(self, rows: Sequence[dict[str, Any]]) -> Calibration:
        """The calibration of a checkpoint, of the rows of ``per_image.csv`` of these images."""
        return Calibration(
            interval_scores(rows),
            _confidence_limits([row["confidence"] for row in rows if row.get("confidence") is not None]),
            novelty.fit(self._appearances),
            tuple(sorted(set(self.images))),
        )


def interval_scores(rows: Sequence[dict[str, Any]]) -> IntervalScores | None:
    """What intervals are made of, by the rows of ``per_image.csv`` of held-out images; None where none has a size."""
    measured = _measured(rows)
    return conformal.scores(*_columns(rows, measured)) if measured else None


def judge(
    rows: Sequence[dict[str, Any]], images: Sequence[str], calibration: Calibration | None
) -> list[dict[str, Any]]:
    """The rows of an evaluation with their intervals, and whether these hold the truth.

    Images that the calibration was made of are judged by intervals that were calibrated on the others of them,
    by examination: an interval holds its own images by construction.

    Args:
        images: their digests, as `Calibrator` has them.

    Returns:
        The rows, with ``hc_low_mm``, ``hc_high_mm`` and ``covered`` where these can be told.
    """
    judged = [dict(row) for row in rows]
    if calibration is None or (held_out := calibration.interval) is None or held_out.scale != conformal.SCALE:
        return judged
    seen, measured = set(calibration.images), _measured(rows)
    calibrating = [index for index in measured if images[index] in seen]
    widths: dict[int, float] = {}
    if calibrating:
        groups = [str(rows[index]["examination"]) for index in calibrating]
        widths |= dict(zip(calibrating, conformal.cross_widths(*_columns(rows, calibrating), groups), strict=True))
    for index in set(measured) - set(calibrating):
        width = conformal.half_width(held_out, rows[index]["hc_pred_mm"], rows[index]["confidence"])
        widths[index] = np.inf if width is None else width
    for index, width in widths.items():
        if np.isfinite(width):
            predicted, true = rows[index]["hc_pred_mm"], rows[index]["hc_true_mm"]
            judged[index] |= {"hc_low_mm": max(predicted - width, 0.0), "hc_high_mm": predicted + float(width)}
            judged[index] |= {"covered": bool(abs(predicted - true) <= width)}
    return judged


def _confidence_limits(confidences: Sequence[float]) -> Limits | None:
    if not confidences:
        return None
    return Limits(float(np.quantile(confidences, REVIEWED)), float(min(confidences) - CONFIDENCE_MARGIN))


def _measured(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Rows whose circumference is known in mm, both true and predicted."""
    return [index for index, row in enumerate(rows) if all(row.get(name) is not None for name in INTERVAL_COLUMNS)]


def _columns(rows: Sequence[dict[str, Any]], chosen: Sequence[int]) -> tuple[list[float], list[float], list[float]]:
    predicted, confidence, true = ([rows[index][name] for index in chosen] for name in INTERVAL_COLUMNS)
    return predicted, confidence, true
