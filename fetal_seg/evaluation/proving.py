"""Measure the same images by two ways to run one network."""

import time
from collections.abc import Iterator, Sequence

from fetal_seg.data.records import Record
from fetal_seg.evaluation import metrics
from fetal_seg.evaluation.parity import Measured, Pair, Parity
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Measurement, Prediction


def compare(reference: Predictor, other: Predictor, records: Sequence[Record]) -> Parity:
    """Measure records both ways, by turns, so that a machine that slows down slows both.

    Raises:
        InputError: an image cannot be read.
    """
    return Parity.of(tuple(_pairs(reference, other, records)))


def _pairs(reference: Predictor, other: Predictor, records: Sequence[Record]) -> Iterator[Pair]:
    for record in records:
        image, truth = record.read_pair()
        measured = []
        for predictor in (reference, other):
            start = time.perf_counter()
            (prediction,) = predictor.predict([image])
            milliseconds = 1000 * (time.perf_counter() - start)
            measured.append(_measured(predictor, prediction, record, truth, image.shape, milliseconds))
        yield Pair(record.name, *measured)


def _measured(
    predictor: Predictor,
    prediction: Prediction,
    record: Record,
    truth: Ellipse | None,
    shape: tuple[int, ...],
    milliseconds: float,
) -> Measured:
    size = record.pixel_size_mm
    spacing = Spacing(size, size, "csv") if size else None
    found = Measurement.from_prediction(prediction, spacing, calibration=predictor.calibration)
    return Measured(
        prediction.ellipse.circumference if prediction.ellipse else None,
        found.hc_mm,
        metrics.ellipse_dice(prediction.ellipse, truth, *shape) if truth else None,
        found.flag,
        milliseconds,
    )
