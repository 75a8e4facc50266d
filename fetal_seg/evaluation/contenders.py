"""What is compared: a run, or several that are repeats of one another, with the score of each image.

This module needs no run folders: rows of evaluations are enough.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fetal_seg.evaluation.metrics import ADF, COMPARED, ELLIPSE_DICE, Metric
from fetal_seg.evaluation.tables import Row, finite_value, is_missed

Value = TypeVar("Value")
ImageKey = tuple[str, str]  # file and true circumference, so that files of one name in two data sets remain apart


@dataclass(frozen=True, eq=False)
class Contender:
    """What is compared, with its score of each image.

    Attributes:
        label: its name in tables and sentences.
        runs: how many runs were averaged.
        examinations: the examination of each image that was measured.
        scores: by column of a metric, the mean over the runs that measured the image, in the column's unit;
            images in which no run found a head have no distance.
        missed: of each image, the share of runs that found no head.
    """

    label: str
    runs: int
    examinations: dict[ImageKey, str]
    scores: dict[str, dict[ImageKey, float]]
    missed: dict[ImageKey, float]

    @property
    def mostly_missed(self) -> bool:
        """Whether it found no head in at least half of its images, as a network does whose training diverged."""
        return 2 * sum(self.missed.values()) >= len(self.missed)

    def only(self, images: Iterable[ImageKey]) -> "Contender":
        """The same on these images alone."""
        kept = set(images)
        scores = {column: _chosen(values, kept) for column, values in self.scores.items()}
        examinations, missed = _chosen(self.examinations, kept), _chosen(self.missed, kept)
        return Contender(self.label, self.runs, examinations, scores, missed)

    def mean(self, metric: Metric) -> float | None:
        """Mean over its images, in the unit shown; None where no image has the metric."""
        values = self.scores[metric.column].values()
        return metric.scale * sum(values) / len(values) if values else None


def average_repeats(label: str, repeats: Sequence[Sequence[Row]]) -> Contender:
    """Average the evaluations of repeats: rows of ``per_image.csv``, a list for each run.

    Raises:
        ValueError: there is no row.
    """
    if not any(repeats):
        raise ValueError(f"{label}: no image was measured")
    examinations: dict[ImageKey, str] = {}
    gathered: dict[str, dict[ImageKey, list[float]]] = {metric.column: {} for metric in COMPARED}
    missed: dict[ImageKey, list[float]] = {}
    for row in (row for rows in repeats for row in rows):
        image = image_key(row)
        examinations[image] = str(row["examination"])
        missed.setdefault(image, []).append(float(is_missed(row)))
        for column, values in gathered.items():
            if (value := finite_value(row, column)) is not None:
                values.setdefault(image, []).append(value)
    scores = {column: _means(values) for column, values in gathered.items()}
    return Contender(label, len(repeats), examinations, scores, _means(missed))


def image_key(row: Row) -> ImageKey:
    """What tells an image from every other: its file, and the truth where that is known in mm."""
    hc_mm = finite_value(row, "hc_true_mm")
    return str(row["file"]), "" if hc_mm is None else f"{hc_mm:.4g}"


def common_images(contenders: Sequence[Contender]) -> set[ImageKey]:
    """The images that all contenders measured."""
    return set.intersection(*(set(contender.examinations) for contender in contenders)) if contenders else set()


def ranked(contenders: Iterable[Contender]) -> list[Contender]:
    """The contenders by falling mean Dice; of equal ones, that of the smaller ADF is first."""
    return sorted(contenders, key=lambda rival: (-(rival.mean(ELLIPSE_DICE) or 0.0), rival.mean(ADF) or math.inf))


def _chosen(values: dict[ImageKey, Value], kept: set[ImageKey]) -> dict[ImageKey, Value]:
    return {image: value for image, value in values.items() if image in kept}


def _means(values: dict[ImageKey, list[float]]) -> dict[ImageKey, float]:
    return {image: sum(of_image) / len(of_image) for image, of_image in values.items()}
