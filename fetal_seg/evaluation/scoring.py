"""Predictions compared with the truth, image by image, at the images' own size."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record, read_ahead, records_named
from fetal_seg.errors import InputError
from fetal_seg.evaluation import metrics
from fetal_seg.evaluation.contenders import Contender
from fetal_seg.evaluation.disagreement import ContenderPrediction, Disagreement, Disagreements, most_disagreed
from fetal_seg.evaluation.metrics import ELLIPSE_DICE
from fetal_seg.evaluation.tables import Row
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.result import Measurement, Prediction
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class ScoredImage:
    """An image, what is true of it, what was predicted, and how far these are apart.

    Attributes:
        scores: the numbers of ``evaluation/per_image.csv``; lengths in mm, None where the pixel size is
            not known, infinite where a head was missed.
    """

    record: Record
    image: Grey
    truth: Ellipse
    prediction: Prediction
    scores: Row


def score_records(predictor: Predictor, records: Sequence[Record]) -> Iterator[ScoredImage]:
    """Predict records and compare each with its truth; images are read ahead, a batch at a time.

    Args:
        records: that show a head, see `with_head`.

    Raises:
        InputError: an image or its annotation cannot be read.
    """
    with ThreadPoolExecutor() as pool:
        for batch, pairs in read_ahead(records, Record.read_pair):
            scored = partial(_score_pair, predictor.calibration)
            yield from pool.map(scored, batch, pairs, predictor.predict([image for image, _ in pairs]))


def _score_pair(
    calibration: Calibration | None, record: Record, pair: tuple[Grey, Ellipse | None], prediction: Prediction
) -> ScoredImage:
    image, truth = pair
    assert truth is not None  # records of heads
    return ScoredImage(record, image, truth, prediction, score(record, image.shape, truth, prediction, calibration))


def score(
    record: Record,
    shape: tuple[int, ...],
    truth: Ellipse,
    prediction: Prediction,
    calibration: Calibration | None = None,
) -> Row:
    """The numbers of one row of ``per_image.csv``, for an image of shape (height, width)."""
    height, width = shape[0], shape[1]
    mask, true_mask, ellipse = prediction.mask, truth.rasterise(height, width), prediction.ellipse
    row: Row = {
        "file": record.name,
        "examination": record.examination,
        "dice": metrics.dice(mask, true_mask),
        "iou": metrics.iou(mask, true_mask),
        "missed": ellipse is None,
        "ellipse_dice": metrics.ellipse_dice(ellipse, truth, height, width),
    }
    size = record.pixel_size_mm
    measured = Measurement.from_prediction(
        prediction, Spacing(size, size, "csv") if size else None, calibration=calibration
    )
    row |= {"flag": measured.flag, "reasons": list(measured.reasons), "confidence": measured.confidence}
    row["head_probability"] = measured.head_probability
    if size is None:
        return row
    distances = metrics.surface_distances(mask, true_mask, size)
    row |= {"hd_mm": distances.hd, "hd95_mm": distances.hd95, "assd_mm": distances.assd}
    row["nsd_1mm"] = distances.nsd
    row |= {"ellipse_hd_mm": metrics.ellipse_hausdorff(ellipse, truth, size)}
    row |= {"hc_true_mm": truth.circumference * size, "hc_pred_mm": ellipse.circumference * size if ellipse else None}
    difference = metrics.circumference_difference(ellipse, truth, size)
    return row | {"df_mm": difference, "adf_mm": abs(difference)}


def predict_disagreements(contenders: Sequence[Contender], checkpoints: Sequence[Path]) -> Disagreements:
    """What the best, the median and the worst contender make of the images with the largest spread of Dice.

    Contenders that mostly missed the head are left out.

    Args:
        contenders: best first, measured on the same images.
        checkpoints: one of each contender's.
    """
    chosen = most_disagreed(contenders)
    if not chosen:
        return Disagreements(why_none="There is no image on which contenders that can be compared differ.")
    able = [rank for rank, contender in enumerate(contenders) if not contender.mostly_missed]
    shown = dict.fromkeys((able[0], able[(len(able) - 1) // 2], able[-1]))
    try:
        read = [read_checkpoint(checkpoints[rank]) for rank in shown]
        records = _records(read[0], [file for (file, _), _ in chosen])
        scored = [list(score_records(Predictor.load(checkpoint), records)) for checkpoint in read]
    except (InputError, OSError) as error:
        logger.info("no overlays: %s", error)
        return Disagreements(why_none=f"The images cannot be drawn: {error}.")
    labels = [contenders[rank].label for rank in shown]
    images = []
    for (key, spread), of_image in zip(chosen, zip(*scored, strict=True), strict=True):
        predictions = tuple(
            ContenderPrediction(label, contender.prediction, 100 * float(contender.scores[ELLIPSE_DICE.column]))
            for label, contender in zip(labels, of_image, strict=True)
        )
        images.append(Disagreement(key[0], spread, of_image[0].image, of_image[0].truth, predictions))
    return Disagreements(tuple(images))


def _records(checkpoint: Checkpoint, names: Sequence[str]) -> list[Record]:
    """Records of a checkpoint's own data.

    Raises:
        InputError: the data are no longer there.
    """
    source = checkpoint.description.data.source
    return records_named(load_records(source, cache_folder(source.keys.get("cache_dir"))), names)
