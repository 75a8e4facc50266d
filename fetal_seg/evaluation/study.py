"""What a set of runs tells together: a ranking, comparisons with the best, main effects."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from fetal_seg.evaluation.clustered_statistics import bootstrap_mean_interval
from fetal_seg.evaluation.comparison import Comparison, compare_with_best, resamples, signed
from fetal_seg.evaluation.contenders import ADF, DICE, MEASURES, Contender, Measure, common_images, contender, ranked
from fetal_seg.evaluation.costs import Cost
from fetal_seg.evaluation.effects import Effect, main_effect
from fetal_seg.evaluation.labels import factors, label
from fetal_seg.evaluation.runs import Run

MODEL = "model"


@dataclass(frozen=True)
class Interval:
    """A mean over images and its 95 % interval, in the unit that the measure is shown in."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{signed(self.mean)} [{signed(self.low)} to {signed(self.high)}]"


@dataclass(frozen=True, eq=False)
class Entry:
    """A contender in the ranking, with its runs, the level of each factor, and what it costs.

    `means` are by column of a measure; a measure that no image has is not in it.
    """

    contender: Contender
    runs: tuple[Run, ...]
    settings: tuple[str | None, ...]
    means: dict[str, Interval]
    cost: Cost | None

    @property
    def missed(self) -> float:
        """Heads that were not found, mean over the runs."""
        return sum(self.contender.missed.values())

    @property
    def epochs(self) -> float | None:
        """Mean over the runs."""
        return _mean(run.epochs for run in self.runs)

    @property
    def minutes(self) -> float | None:
        """Mean over the runs."""
        return _mean(run.minutes for run in self.runs)


@dataclass(frozen=True, eq=False)
class Study:
    """What is known of a set of runs.

    Attributes:
        runs: all, as given.
        factors: the keys in which they differ.
        entries: contenders, best first; all on the same images, unless they have none in common.
        together: whether they have images in common.
        measured: how many images any of them measured, before they were restricted to the common ones.
        comparisons: the best with each other one, by column of the measure; none if there is one contender.
        effects: of each factor, by column of the measure.
    """

    runs: tuple[Run, ...]
    factors: tuple[str, ...]
    entries: tuple[Entry, ...]
    together: bool
    measured: int
    comparisons: dict[str, list[Comparison]]
    effects: dict[str, list[Effect]]

    @property
    def images(self) -> int:
        """How many images each contender was measured on; 0 where these differ."""
        return len(self.entries[0].contender.examinations) if self.together and self.entries else 0

    @property
    def examinations(self) -> int:
        """Of how many examinations these images are."""
        return len(set(self.entries[0].contender.examinations.values())) if self.images else 0


def examine(runs: Sequence[Run], costs: dict[Path, Cost]) -> Study:
    """Rank and compare all runs that were measured; those equal but for their seed or fold are one contender."""
    keys = factors(runs)
    groups: dict[tuple[str | None, ...], list[Run]] = {}
    for run in runs:
        if run.images:
            groups.setdefault(tuple(run.setting(key) for key in keys), []).append(run)
    labels = _apart({settings: label(alike[0], keys) for settings, alike in groups.items()})
    measured = {
        settings: contender(labels[settings], [run.images for run in alike]) for settings, alike in groups.items()
    }
    common, every = (
        common_images(list(measured.values())),
        set().union(*(each.examinations for each in measured.values())),
    )
    if common:
        measured = {settings: each.only(common) for settings, each in measured.items()}
    place = {each.label: settings for settings, each in measured.items()}
    contenders = ranked(measured.values())
    draws = resamples(contenders)
    entries = [
        Entry(
            each,
            tuple(groups[place[each.label]]),
            place[each.label],
            _means(each, draws),
            next((costs[run.checkpoint] for run in groups[place[each.label]] if run.checkpoint in costs), None),
        )
        for each in contenders
    ]
    return Study(
        tuple(runs),
        tuple(keys),
        tuple(entries),
        bool(common),
        len(every),
        {measure.column: compare_with_best(contenders, measure) for measure in (DICE, ADF)} if entries[1:] else {},
        _effects(keys, entries) if common else {},
    )


def interval_of(each: Contender, measure: Measure, draws: int) -> Interval | None:
    """Mean and interval of a measure, where an image has it."""
    scores = each.scores[measure.column]
    center = each.mean(measure)
    if center is None:
        return None
    values = [measure.scale * value for value in scores.values()]
    low, high = bootstrap_mean_interval(values, [each.examinations[image] for image in scores], resamples=draws)
    return Interval(center, low, high)


def conclusions(study: Study) -> list[str]:
    """What the runs show, in a few plain sentences, the most important first."""
    if not study.entries:
        return ["No run has been measured, so there is nothing to compare."]
    best, *others = study.entries
    told = [f"{own.title} {best.means[own.column]} {own.own_unit}" for own in (DICE, ADF) if own.column in best.means]
    numbers = " and ".join(told) + " (mean and 95 % interval)"
    if not others:
        return [f"One contender was measured, {best.contender.label}: {numbers}."]
    if not study.together:
        return [f"The runs were measured on different images and cannot be ranked fairly; "
                f"of the highest mean is {best.contender.label}: {numbers}."]  # fmt: skip
    worse = sum(comparison.first_is_better for comparison in study.comparisons[DICE.column])
    number = {0: "none", len(others): f"all {len(others)}"}.get(worse, f"{worse} of {len(others)}")
    shown = f"of the others, {number} {'is' if worse < 2 else 'are'} shown to be worse in Dice"
    if len(others) == 1:
        shown = study.comparisons[DICE.column][0].sentence.removesuffix(".")
    sentences = [f"Highest in Dice is {best.contender.label}: {numbers}. {shown[0].upper()}{shown[1:]}."]
    if MODEL in study.factors and len(others) > 1:
        sentences += _best_of_each_model(study)
    return sentences


def _best_of_each_model(study: Study) -> list[str]:
    place = study.factors.index(MODEL)
    seen = {study.entries[0].settings[place]}
    told = []
    for entry, comparison in zip(study.entries[1:], study.comparisons[DICE.column], strict=True):
        if entry.settings[place] not in seen:
            seen.add(entry.settings[place])
            told.append(f"The best {entry.settings[place]} beside it: {comparison.sentence}")
    return told


def _effects(keys: Sequence[str], entries: Sequence[Entry]) -> dict[str, list[Effect]]:
    settings, contenders = [entry.settings for entry in entries], [entry.contender for entry in entries]
    return {
        measure.column: [main_effect(keys, key, settings, contenders, measure) for key in keys]
        for measure in (DICE, ADF)
        if len(entries) > 1 and any(measure.column in entry.means for entry in entries)
    }


def _means(each: Contender, draws: int) -> dict[str, Interval]:
    found = {measure.column: interval_of(each, measure, draws) for measure in MEASURES}
    return {column: interval for column, interval in found.items() if interval is not None}


def _apart(labels: dict[tuple[str | None, ...], str]) -> dict[tuple[str | None, ...], str]:
    """Labels with a number behind those that would be equal."""
    counts: dict[str, int] = {}
    for settings, name in labels.items():
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            labels[settings] = f"{name} ({counts[name]})"
    return labels


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return mean(known) if known else None
