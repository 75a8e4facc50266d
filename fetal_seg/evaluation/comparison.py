"""Contenders compared image by image: which is better, by how much, and whether that can be shown.

This module needs no run folders: rows of evaluations are enough.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from fetal_seg.evaluation.clustered_statistics import holm, paired_difference
from fetal_seg.evaluation.contenders import Contender, ranked
from fetal_seg.evaluation.metrics import ADF, ELLIPSE_DICE, Metric
from fetal_seg.evaluation.tables import Row, write_rows

SHOWN_BELOW = 0.05  # a corrected p that counts as shown
MANY = 12  # contenders, above which intervals are sampled less often


@dataclass(frozen=True)
class PairedComparison:
    """Two contenders on the images both measured.

    Attributes:
        first, second: their labels.
        metric: what is compared.
        difference: first minus second, mean over images, in the unit shown; None where they share no image.
        low, high: 95 % interval of the difference, by bootstrap of examinations.
        p: of Wilcoxon's signed-rank test over the means of the examinations.
        p_holm: the same corrected for all comparisons made together.
        images, examinations: how many both measured.
    """

    first: str
    second: str
    metric: Metric
    difference: float | None = None
    low: float = math.nan
    high: float = math.nan
    p: float = 1.0
    p_holm: float = 1.0
    images: int = 0
    examinations: int = 0

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: the corrected p is small, and interval and two decimals leave out zero."""
        return self.p_holm < SHOWN_BELOW and self._leaves_out_zero and not self.is_negligible

    @property
    def is_negligible(self) -> bool:
        """Whether the difference is nothing in the decimals that are shown."""
        return self.difference is not None and round(self.difference, 2) == 0

    @property
    def _leaves_out_zero(self) -> bool:
        return self.difference is not None and self.low * self.high > 0

    @property
    def first_is_better(self) -> bool:
        """Whether the first is shown to be better."""
        return self.shown and self.metric.direction * (self.difference or 0.0) > 0

    @property
    def verdict(self) -> str:
        """What is shown of the first, in a word or two."""
        if self.difference is None:
            return "no image in common"
        return ("better" if self.first_is_better else "worse") if self.shown else "not shown"

    @property
    def sentence(self) -> str:
        """What the comparison tells, in plain words."""
        if self.difference is None:
            return f"{self.first} and {self.second} cannot be compared: no image was measured by both."
        better, worse = self.first, self.second
        sign = self.metric.direction
        if self.shown and sign * self.difference < 0:
            better, worse, sign = worse, better, -sign
        low, high = sorted((sign * self.low, sign * self.high))
        counts = f"{_count(self.images, 'image')} of {_count(self.examinations, 'examination')}"
        detail = f"95 % interval {signed(low)} to {signed(high)}, {p_text(self.p_holm)}, {counts}"
        by = f"{signed(sign * self.difference)} {self.metric.difference_unit}"
        if self.shown:
            return f"{better} is better than {worse} by {by} ({detail})."
        return f"No difference can be shown between {better} and {worse}: {by} ({detail}){self._why_not_shown}."

    @property
    def _why_not_shown(self) -> str:
        """What is to be known where interval and test do not agree, or a difference is too small to be seen."""
        if self._leaves_out_zero and self.p_holm < SHOWN_BELOW:
            return f"; whatever there is, it is below 0.01 {self.metric.difference_unit}"
        if self._leaves_out_zero and self.p < SHOWN_BELOW:
            return f"; before the correction for all comparisons made together {p_text(self.p)}"
        if self._leaves_out_zero:
            return "; the interval leaves out zero, but few large differences make it, which the rank test does not see"
        if self.difference is not None and self.p_holm < SHOWN_BELOW:
            return "; most images differ in one direction, but a few large differences widen the interval past zero"
        return ""


def compare_with_best(contenders: Sequence[Contender], metric: Metric = ELLIPSE_DICE) -> list[PairedComparison]:
    """The best contender by Dice against each other one, in their ranking, p corrected by Holm's method over all."""
    best, *others = ranked(contenders)
    raw = [_compare(best, other, metric, resamples(contenders)) for other in others]
    tested = [comparison for comparison in raw if comparison.difference is not None]
    corrected = dict(zip(tested, holm([comparison.p for comparison in tested]), strict=True))
    return [replace(comparison, p_holm=float(corrected.get(comparison, 1.0))) for comparison in raw]


def compare_all(contenders: Sequence[Contender]) -> list[PairedComparison]:
    """`compare_with_best` by Dice, then by ADF where that is known of any."""
    metrics = [metric for metric in (ELLIPSE_DICE, ADF) if any(rival.scores[metric.column] for rival in contenders)]
    return [comparison for metric in metrics for comparison in compare_with_best(contenders, metric)]


def resamples(contenders: Sequence[Contender]) -> int:
    """How often examinations are sampled for an interval: less often where there are many intervals."""
    return 9999 if len(contenders) <= MANY else 2000


def write_comparisons(path: Path, comparisons: Sequence[PairedComparison]) -> None:
    """Write ``comparison.csv``, a row a comparison; numbers are empty where there is no image in common."""
    columns = ("first", "second", "measure", "difference", "low", "high", "p", "p_holm", "images", "examinations")
    write_rows(path, (*columns, "sentence"), map(_row, comparisons))


def signed(value: float) -> str:
    """Two decimals, with a true minus sign, and no minus before zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def p_text(p: float) -> str:
    """A p value as sentences have it."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _compare(first: Contender, second: Contender, metric: Metric, resamples: int) -> PairedComparison:
    first_scores, second_scores = first.scores[metric.column], second.scores[metric.column]
    images = [image for image in first_scores if image in second_scores]
    if not images:
        return PairedComparison(first.label, second.label, metric)
    a, b = (metric.scale * np.array([scores[image] for image in images]) for scores in (first_scores, second_scores))
    examinations = [first.examinations[image] for image in images]
    paired = paired_difference(a, b, examinations, resamples=resamples)
    p = paired.p if math.isfinite(paired.p) else 1.0
    return PairedComparison(
        first.label, second.label, metric, paired.mean, paired.low, paired.high, p, p,
        paired.images, paired.examinations,
    )  # fmt: skip


def _row(comparison: PairedComparison) -> Row:
    row = asdict(comparison) | {"measure": comparison.metric.heading, "sentence": comparison.sentence}
    for column in ("difference", "low", "high", "p", "p_holm"):
        row[column] = None if comparison.difference is None else f"{row[column]:.6g}"
    del row["metric"]
    return row


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
