"""Contenders compared image by image: which is better, by how much, and whether that can be shown.

This module needs no run folders: rows of evaluations are enough.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fetal_seg.evaluation.clustered_statistics import holm, paired_difference
from fetal_seg.evaluation.contenders import ADF, DICE, Contender, Measure, contender, ranked
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import whole_file

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_BELOW = 0.05  # a corrected p that counts as shown
MANY = 12  # contenders, above which intervals are drawn from fewer resamples


@dataclass(frozen=True)
class Comparison:
    """Two contenders on the images both measured.

    Attributes:
        first, second: their labels.
        measure: what is compared.
        difference: first minus second, mean over images, in the unit shown; None where they share no image.
        low, high: 95 % interval of the difference, by bootstrap of examinations.
        p: of Wilcoxon's signed-rank test over the means of the examinations.
        p_holm: the same corrected for all comparisons made together.
        images, examinations: how many both measured.
    """

    first: str
    second: str
    measure: Measure
    difference: float | None = None
    low: float = math.nan
    high: float = math.nan
    p: float = 1.0
    p_holm: float = 1.0
    images: int = 0
    examinations: int = 0

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: the corrected p is small, and the interval leaves out zero."""
        return self.difference is not None and self.p_holm < SHOWN_BELOW and self.low * self.high > 0

    @property
    def first_is_better(self) -> bool:
        """Whether the first is shown to be better."""
        return self.shown and self.measure.sign * (self.difference or 0.0) > 0

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
        sign = self.measure.sign
        if self.shown and sign * self.difference < 0:
            better, worse, sign = worse, better, -sign
        low, high = sorted((sign * self.low, sign * self.high))
        counts = f"{_count(self.images, 'image')} of {_count(self.examinations, 'examination')}"
        detail = f"95 % interval {signed(low)} to {signed(high)}, {p_text(self.p_holm)}, {counts}"
        by = f"{signed(sign * self.difference)} {self.measure.unit}"
        if self.shown:
            return f"{better} is better than {worse} by {by} ({detail})."
        return f"No difference can be shown between {better} and {worse}: {by} ({detail})."


def compare_with_best(contenders: Sequence[Contender], measure: Measure = DICE) -> list[Comparison]:
    """The best contender by Dice against each other one, in their ranking, p corrected by Holm's method over all."""
    best, *others = ranked(contenders)
    raw = [_compare(best, other, measure, resamples(contenders)) for other in others]
    tested = [comparison for comparison in raw if comparison.difference is not None]
    corrected = dict(zip(tested, holm([comparison.p for comparison in tested]), strict=True))
    return [replace(comparison, p_holm=float(corrected.get(comparison, 1.0))) for comparison in raw]


def resamples(contenders: Sequence[Contender]) -> int:
    """How often examinations are drawn for an interval: less often where there are many intervals."""
    return 9999 if len(contenders) <= MANY else 2000


def write_comparison(folder: Path, evaluations: Mapping[str, Sequence[Sequence[Row]]]) -> tuple["Table", list[str]]:
    """Compare evaluations of at least two contenders and write ``comparison.csv`` into `folder`.

    Args:
        folder: gets the table.
        evaluations: by label, the rows of ``per_image.csv``, a list for each repeat.

    Returns:
        A table for the terminal, and a sentence for each comparison: those of Dice, then those of ADF.

    Raises:
        ValueError: a contender has no row.
    """
    contenders = [contender(label, repeats) for label, repeats in evaluations.items()]
    measured = [measure for measure in (DICE, ADF) if any(each.scores[measure.column] for each in contenders)]
    comparisons = [each for measure in measured for each in compare_with_best(contenders, measure)]
    columns = ["first", "second", "measure", "difference", "low", "high", "p", "p_holm", "images", "examinations"]
    with whole_file(folder / "comparison.csv") as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, "sentence"])
        for each in comparisons:
            numbers = [f"{value:.6g}" for value in _numbers(each)] or [""] * 5
            counts = [each.images, each.examinations]
            writer.writerow([each.first, each.second, each.measure.name, *numbers, *counts, each.sentence])
    return _table(ranked(contenders), comparisons), [each.sentence for each in comparisons]


def signed(value: float) -> str:
    """Two decimals, with a true minus sign, and no minus before zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def p_text(p: float) -> str:
    """A p value as sentences have it."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _compare(first: Contender, second: Contender, measure: Measure, draws: int) -> Comparison:
    ours, theirs = first.scores[measure.column], second.scores[measure.column]
    images = [image for image in ours if image in theirs]
    if not images:
        return Comparison(first.label, second.label, measure)
    a, b = (measure.scale * np.array([scores[image] for image in images]) for scores in (ours, theirs))
    examinations = [first.examinations[image] for image in images]
    found = paired_difference(a, b, examinations, resamples=draws)
    p = float(found.p) if math.isfinite(found.p) else 1.0
    return Comparison(
        first.label, second.label, measure, float(found.mean), float(found.low), float(found.high), p, p,
        found.images, found.examinations,
    )  # fmt: skip


def _numbers(comparison: Comparison) -> list[float]:
    """Difference, interval and p; empty where there is no image in common."""
    if comparison.difference is None:
        return []
    return [comparison.difference, comparison.low, comparison.high, comparison.p, comparison.p_holm]


def _table(contenders: Sequence[Contender], comparisons: Sequence[Comparison]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, title="compared image by image, best first")
    table.add_column("", overflow="fold")
    for head in ("measure", "mean", "minus the\nbest's", "95 %\ninterval", "p\n(Holm)"):
        table.add_column(head, justify="right", no_wrap=True)
    for each in contenders:
        for place, measure in enumerate(dict.fromkeys(comparison.measure for comparison in comparisons)):
            mean = each.mean(measure)
            cells = ["–"] * 3
            pair = next((pair for pair in comparisons if pair.second == each.label and pair.measure is measure), None)
            if pair is not None and pair.difference is not None:
                interval = f"{signed(-pair.high)} to {signed(-pair.low)}"
                cells = [signed(-pair.difference), interval, p_text(pair.p_holm).removeprefix("p = ")]
            name = each.label if place == 0 else ""
            table.add_row(name, measure.name, "–" if mean is None else signed(mean), *cells)
    return table


def _count(number_of: int, what: str) -> str:
    return f"{number_of} {what}{'' if number_of == 1 else 's'}"
