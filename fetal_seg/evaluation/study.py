"""What a set of runs tells together: a ranking, comparisons with the best, main effects."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from fetal_seg.evaluation.clustered_statistics import bootstrap_mean_interval
from fetal_seg.evaluation.comparison import PairedComparison, compare_with_best, resamples, signed
from fetal_seg.evaluation.contenders import Contender, average_repeats, common_images, ranked
from fetal_seg.evaluation.effects import Effect, main_effect
from fetal_seg.evaluation.labels import Settings, alike, factors, label
from fetal_seg.evaluation.metrics import ADF, COMPARED, ELLIPSE_DICE, Metric
from fetal_seg.evaluation.runs import Run

MODEL = "model"


@dataclass(frozen=True)
class Cost:
    """What one network costs.

    Attributes:
        parameters: trained numbers.
        milliseconds: median time of the network alone, one image at the size it takes, on the CPU.
    """

    parameters: int
    milliseconds: float


@dataclass(frozen=True)
class Costs:
    """The cost of each checkpoint's network, measured with this number of threads; not all have one."""

    threads: int
    by_checkpoint: Mapping[Path, Cost]

    def first_of(self, runs: Iterable[Run]) -> Cost | None:
        """The cost of the first of these runs that has one."""
        return next((self.by_checkpoint[run.checkpoint] for run in runs if run.checkpoint in self.by_checkpoint), None)


@dataclass(frozen=True)
class Interval:
    """A mean over images and its 95 % interval, in the unit that the metric is shown in."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{signed(self.mean)} [{signed(self.low)} to {signed(self.high)}]"


@dataclass(frozen=True, eq=False)
class Entry:
    """A contender in the ranking, with its runs, the level of each factor, and what it costs.

    `rank` counts from 1. `means` are by column of a metric; one that no image has is not in it.
    """

    rank: int
    contender: Contender
    runs: tuple[Run, ...]
    settings: Settings
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
        comparisons: the best with each other one, by column of the metric; none if there is one contender.
        effects: of each factor, by column of the metric.
        costs: of the runs' networks.
    """

    runs: tuple[Run, ...]
    factors: tuple[str, ...]
    entries: tuple[Entry, ...]
    together: bool
    measured: int
    comparisons: dict[str, list[PairedComparison]]
    effects: dict[str, list[Effect]]
    costs: Costs

    @property
    def has_repeats(self) -> bool:
        """Whether a contender has several runs."""
        return any(len(entry.runs) > 1 for entry in self.entries)

    @property
    def images(self) -> int:
        """How many images each contender was measured on; 0 where these differ."""
        return len(self.entries[0].contender.examinations) if self.together and self.entries else 0

    @property
    def examinations(self) -> int:
        """Of how many examinations these images are."""
        return len(set(self.entries[0].contender.examinations.values())) if self.images else 0


def examine(runs: Sequence[Run], costs: Costs) -> Study:
    """Rank and compare all runs that were measured; those equal but for their seed or fold are one contender."""
    keys = factors(runs)
    groups = alike((run for run in runs if run.images), keys)
    labels = _apart({settings: label(group[0], keys) for settings, group in groups.items()})
    settings_of = {labels[settings]: settings for settings in groups}
    measured = [average_repeats(labels[settings], [run.images for run in group]) for settings, group in groups.items()]
    common = common_images(measured)
    contenders = ranked(contender.only(common) for contender in measured) if common else ranked(measured)
    entries = []
    for rank, contender in enumerate(contenders, start=1):
        settings = settings_of[contender.label]
        group, means = groups[settings], _means(contender, resamples(contenders))
        entries.append(Entry(rank, contender, tuple(group), settings, means, costs.first_of(group)))
    return Study(
        tuple(runs),
        tuple(keys),
        tuple(entries),
        bool(common),
        len(set().union(*(contender.examinations for contender in measured))),
        {metric.column: compare_with_best(contenders, metric) for metric in (ELLIPSE_DICE, ADF)} if entries[1:] else {},
        _effects(keys, entries) if common else {},
        costs,
    )


def interval_of(contender: Contender, metric: Metric, resamples: int) -> Interval | None:
    """Mean and interval of a metric, where an image has it."""
    scores = contender.scores[metric.column]
    center = contender.mean(metric)
    if center is None:
        return None
    values = [metric.scale * value for value in scores.values()]
    examinations = [contender.examinations[image] for image in scores]
    return Interval(center, *bootstrap_mean_interval(values, examinations, resamples=resamples))


def conclusions(study: Study) -> list[str]:
    """What the runs show, in a few plain sentences, the most important first."""
    if not study.entries:
        return ["No run has been measured, so there is nothing to compare."]
    best, *others = study.entries
    metrics = [metric for metric in (ELLIPSE_DICE, ADF) if metric.column in best.means]
    means = " and ".join(f"{metric.title} {best.means[metric.column]} {metric.unit}" for metric in metrics)
    numbers = f"{means} (mean and 95 % interval)"
    if not others:
        return [f"One contender was measured, {best.contender.label}: {numbers}."]
    if not study.together:
        return [f"The runs were measured on different images and cannot be ranked fairly; "
                f"of the highest mean is {best.contender.label}: {numbers}."]  # fmt: skip
    worse = sum(comparison.first_is_better for comparison in study.comparisons[ELLIPSE_DICE.column])
    number = {0: "none", len(others): f"all {len(others)}"}.get(worse, f"{worse} of {len(others)}")
    shown = f"of the others, {number} {'is' if worse < 2 else 'are'} shown to be worse in Dice"
    if len(others) == 1:
        shown = study.comparisons[ELLIPSE_DICE.column][0].sentence.removesuffix(".")
    sentences = [f"Highest in Dice is {best.contender.label}: {numbers}. {shown[0].upper()}{shown[1:]}."]
    if MODEL in study.factors and len(others) > 1:
        sentences += _best_of_each_model(study)
    return sentences


def _best_of_each_model(study: Study) -> list[str]:
    position = study.factors.index(MODEL)
    seen = {study.entries[0].settings[position]}
    sentences = []
    for entry, comparison in zip(study.entries[1:], study.comparisons[ELLIPSE_DICE.column], strict=True):
        model = entry.settings[position]
        if model not in seen:
            seen.add(model)
            sentences.append(f"The best {model} beside it: {comparison.sentence}")
    return sentences


def _effects(keys: Sequence[str], entries: Sequence[Entry]) -> dict[str, list[Effect]]:
    settings, contenders = [entry.settings for entry in entries], [entry.contender for entry in entries]
    return {
        metric.column: [main_effect(keys, key, settings, contenders, metric) for key in keys]
        for metric in (ELLIPSE_DICE, ADF)
        if len(entries) > 1 and any(metric.column in entry.means for entry in entries)
    }


def _means(contender: Contender, resamples: int) -> dict[str, Interval]:
    intervals = {metric.column: interval_of(contender, metric, resamples) for metric in COMPARED}
    return {column: interval for column, interval in intervals.items() if interval is not None}


def _apart(labels: dict[Settings, str]) -> dict[Settings, str]:
    """Labels with a number behind those that would be equal."""
    counts: dict[str, int] = {}
    for settings, name in labels.items():
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            labels[settings] = f"{name} ({counts[name]})"
    return labels


def _mean(values: Iterable[float | None]) -> float | None:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return mean(finite) if finite else None
