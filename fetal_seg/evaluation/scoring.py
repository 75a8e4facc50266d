"""Predictions compared with the truth, image by image, at the images' own size."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fetal_seg.data.reading import read_ahead
from fetal_seg.data.records import Record
from fetal_seg.evaluation import metrics
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Measurement, Prediction


@dataclass(frozen=True)
class Comparison:
    """An image, what is true of it, what was predicted, and how far these are apart.

    Attributes:
        scores: the numbers of ``evaluation/per_image.csv``; lengths in mm, None where the pixel size is
            not known, infinite where a head was missed.
    """

    record: Record
    image: Grey
    truth: Ellipse
    prediction: Prediction
    scores: dict[str, Any]


def compare(predictor: Predictor, records: Sequence[Record]) -> Iterator[Comparison]:
    """Predict records and compare each with its truth; images are read ahead, a batch at a time.

    Raises:
        InputError: an image or its annotation cannot be read.
    """
    with ThreadPoolExecutor() as pool:
        for batch, pairs in read_ahead(records, Record.read_pair):
            yield from pool.map(_compare, batch, pairs, predictor.predict([image for image, _ in pairs]))


def _compare(record: Record, pair: tuple[Grey, Ellipse], prediction: Prediction) -> Comparison:
    image, truth = pair
    return Comparison(record, image, truth, prediction, score(record, image.shape, truth, prediction))


def score(record: Record, shape: tuple[int, ...], truth: Ellipse, prediction: Prediction) -> dict[str, Any]:
    """The numbers of one row of ``per_image.csv``, for an image of shape (height, width)."""
    height, width = shape[0], shape[1]
    mask, true_mask, found = prediction.mask, truth.rasterise(height, width), prediction.ellipse
    row: dict[str, Any] = {
        "file": record.name,
        "examination": record.examination,
        "dice": metrics.dice(mask, true_mask),
        "iou": metrics.iou(mask, true_mask),
        "missed": found is None,
        "ellipse_dice": metrics.ellipse_dice(found, truth, height, width),
    }
    size = record.pixel_size_mm
    measured = Measurement.from_prediction(prediction, Spacing(size, size, "csv") if size else None)
    row |= {"flag": measured.flag, "reasons": list(measured.reasons), "confidence": measured.confidence}
    if size is None:
        return row
    distances = metrics.surface_distances(mask, true_mask, size)
    row |= {"hd_mm": distances.hd, "hd95_mm": distances.hd95, "assd_mm": distances.assd}
    row |= {"ellipse_hd_mm": metrics.ellipse_hausdorff(found, truth, size)}
    row |= {"hc_true_mm": truth.circumference * size, "hc_pred_mm": found.circumference * size if found else None}
    difference = metrics.circumference_difference(found, truth, size)
    return row | {"df_mm": difference, "adf_mm": abs(difference)}
