"""What is compared: a run, or several that are repeats of one another, with the score of each image.

This module needs no run folders: rows of evaluations are enough.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fetal_seg.evaluation.tables import Row, is_missed, number

Value = TypeVar("Value")
Image = tuple[str, str]  # file and true circumference, so that files of the same name in two data sets remain apart


@dataclass(frozen=True)
class Measure:
    """A number of each image, and how it is shown.

    Attributes:
        column: of ``per_image.csv``.
        name: with its unit, for headings.
        unit: of a difference, for sentences.
        scale: from the column's unit to the one shown.
        sign: 1 where higher is better, -1 where lower is.
    """

    column: str
    name: str
    unit: str
    scale: float
    sign: int

    @property
    def title(self) -> str:
        """The name without its unit."""
        return self.name.split(",", maxsplit=1)[0]

    @property
    def own_unit(self) -> str:
        """The unit of a value: %, or mm."""
        return self.name.rsplit(" ", maxsplit=1)[-1]


DICE = Measure("ellipse_dice", "ellipse Dice, %", "points of Dice", 100.0, 1)
ADF = Measure("adf_mm", "ADF, mm", "mm of ADF", 1.0, -1)
HD = Measure("ellipse_hd_mm", "ellipse HD, mm", "mm of HD", 1.0, -1)
MEASURES = (DICE, ADF, HD)


@dataclass(frozen=True, eq=False)
class Contender:
    """What is compared, with its score of each image.

    Attributes:
        label: its name in tables and sentences.
        runs: how many runs were averaged.
        examinations: the examination of each image that was measured.
        scores: by column of a measure, the mean over the runs that measured the image, in the column's unit;
            images in which no run found a head have no distance.
        missed: of each image, the share of runs that found no head.
    """

    label: str
    runs: int
    examinations: dict[Image, str]
    scores: dict[str, dict[Image, float]]
    missed: dict[Image, float]

    @property
    def mostly_missed(self) -> bool:
        """Whether it found no head in at least half of its images, as a network does whose training diverged."""
        return 2 * sum(self.missed.values()) >= len(self.missed)

    def only(self, images: Iterable[Image]) -> "Contender":
        """The same on these images alone."""
        kept = set(images)
        scores = {column: _chosen(values, kept) for column, values in self.scores.items()}
        examinations, missed = _chosen(self.examinations, kept), _chosen(self.missed, kept)
        return Contender(self.label, self.runs, examinations, scores, missed)

    def mean(self, measure: Measure) -> float | None:
        """Mean over its images, in the unit shown; None where no image has the measure."""
        values = self.scores[measure.column].values()
        return measure.scale * sum(values) / len(values) if values else None


def contender(label: str, repeats: Sequence[Sequence[Row]]) -> Contender:
    """Average the evaluations of repeats: rows of ``per_image.csv``, a list for each run.

    Raises:
        ValueError: there is no row.
    """
    if not any(repeats):
        raise ValueError(f"{label}: no image was measured")
    examinations: dict[Image, str] = {}
    gathered: dict[str, dict[Image, list[float]]] = {measure.column: {} for measure in MEASURES}
    missed: dict[Image, list[float]] = {}
    for row in (row for rows in repeats for row in rows):
        image = image_of(row)
        examinations[image] = str(row["examination"])
        missed.setdefault(image, []).append(float(is_missed(row)))
        for column, values in gathered.items():
            if (value := number(row, column)) is not None:
                values.setdefault(image, []).append(value)
    scores = {column: _means(values) for column, values in gathered.items()}
    return Contender(label, len(repeats), examinations, scores, _means(missed))


def image_of(row: Row) -> Image:
    """What tells an image from every other: its file, and the truth where that is known in mm."""
    true = number(row, "hc_true_mm")
    return str(row["file"]), "" if true is None else f"{true:.4g}"


def common_images(contenders: Sequence[Contender]) -> set[Image]:
    """The images that all contenders measured."""
    return set.intersection(*(set(each.examinations) for each in contenders)) if contenders else set()


def ranked(contenders: Iterable[Contender]) -> list[Contender]:
    """The contenders by falling mean Dice; of equal ones, that of the smaller ADF is first."""
    return sorted(contenders, key=lambda each: (-(each.mean(DICE) or 0.0), each.mean(ADF) or math.inf))


def _chosen(values: dict[Image, Value], kept: set[Image]) -> dict[Image, Value]:
    return {image: value for image, value in values.items() if image in kept}


def _means(values: dict[Image, list[float]]) -> dict[Image, float]:
    return {image: sum(own) / len(own) for image, own in values.items()}
