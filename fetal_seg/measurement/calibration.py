"""What held-out images teach about a network's errors: kept in its checkpoint as plain data."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement import conformal, novelty

COLUMNS = ("hc_pred_mm", "confidence", "hc_true_mm")  # what intervals are made of

MARGIN = 0.1  # of confidence, between the least sure head and what is none
DOUBTED = 0.02  # part of the heads


class Calibrator:
    """Gathers what is needed of each image of an evaluation, so that none has to be kept.

    Args:
        letterbox: of the network.

    Attributes:
        images: a digest of each image's pixels, in order.
    """

    def __init__(self, letterbox: Letterbox) -> None:
        self._letterbox = letterbox
        self._appearances: list[Any] = []
        self.images: list[str] = []

    def add(self, image: Grey, mask: Grey) -> None:
        """Take note of an image, and of how the head in it looks, if one was found; both (height, width)."""
        region = (self._letterbox.apply(255 * (mask > 0).astype(np.uint8)) > 127).astype(np.uint8)
        if region.any():
            self._appearances.append(novelty.known_features(self._letterbox.apply(image), region))
        self.images.append(hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest())

    def result(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The calibration of a checkpoint, of the rows of ``per_image.csv`` of these images.

        Returns:
            ``interval``: scores of held-out images and their scale, None where no circumference is known;
            ``confidence``: those of heads that are to be looked at (``surest_doubt``, the lowest 2 %), and of what
            is none (``least``, `MARGIN` below any head's), None as well;
            ``appearance``: of the heads, see `novelty.fit`; ``images``: digests of the images that it was made of.
        """
        known = _measured(rows)
        scores = conformal.scores(*_columns(rows, known))
        return {
            "interval": {"scale": conformal.SCALE, "scores": scores} if scores else None,
            "confidence": _confidence([row["confidence"] for row in rows if row.get("confidence") is not None]),
            "appearance": novelty.fit(self._appearances),
            "images": sorted(set(self.images)),
        }


def judge(rows: Sequence[dict[str, Any]], images: Sequence[str], calibration: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an evaluation with their intervals, and whether these hold the truth.

    Images that the calibration was made of are judged by intervals that were calibrated on the others of them,
    by examination: an interval holds its own images by construction.

    Args:
        rows: of ``per_image.csv``.
        images: their digests, as `Calibrator` has them.
        calibration: of the checkpoint.

    Returns:
        The rows, with ``hc_low_mm``, ``hc_high_mm`` and ``covered`` where these can be told.
    """
    judged, held_out = [dict(row) for row in rows], conformal.scores_of(calibration)
    if held_out is None:
        return judged
    seen, known = set(calibration.get("images", ())), _measured(rows)
    own = [index for index in known if images[index] in seen]
    widths: dict[int, float] = {}
    if own:
        groups = [str(rows[index]["examination"]) for index in own]
        widths |= dict(zip(own, conformal.cross_widths(*_columns(rows, own), groups), strict=True))
    for index in set(known) - set(own):
        width = conformal.half_width(held_out, rows[index]["hc_pred_mm"], rows[index]["confidence"])
        widths[index] = np.inf if width is None else width
    for index, width in widths.items():
        if np.isfinite(width):
            predicted, true = rows[index]["hc_pred_mm"], rows[index]["hc_true_mm"]
            judged[index] |= {"hc_low_mm": max(predicted - width, 0.0), "hc_high_mm": predicted + float(width)}
            judged[index] |= {"covered": bool(abs(predicted - true) <= width)}
    return judged


def _confidence(known: Sequence[float]) -> dict[str, float] | None:
    if not known:
        return None
    return {"surest_doubt": float(np.quantile(known, DOUBTED)), "least": min(known) - MARGIN}


def _measured(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Rows whose circumference is known in mm, both true and predicted."""
    return [index for index, row in enumerate(rows) if all(row.get(name) is not None for name in COLUMNS)]


def _columns(rows: Sequence[dict[str, Any]], chosen: Sequence[int]) -> tuple[list[float], list[float], list[float]]:
    predicted, confidence, true = ([rows[index][name] for index in chosen] for name in COLUMNS)
    return predicted, confidence, true
