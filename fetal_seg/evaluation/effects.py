"""Main effects: what each setting does on average, whatever the others are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fetal_seg.evaluation.clustered_statistics import bootstrap_mean_interval
from fetal_seg.evaluation.contenders import Contender
from fetal_seg.evaluation.labels import Settings
from fetal_seg.evaluation.metrics import Metric
from fetal_seg.evaluation.runs import natural_order


@dataclass(frozen=True)
class LevelMean:
    """The marginal mean of one level, with the interval of its distance from the mean of all levels around it.

    Numbers are in the unit that the metric is shown in.
    """

    level: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """What a factor does to a metric.

    Attributes:
        factor: its key.
        metric: what was measured.
        levels: marginal means over the complete blocks; empty where no block is complete.
        dropped: levels that were left out, since no block has them beside the others.
        blocks: combinations of the other factors in which every one of `levels` was measured.
        images: how many images the means are over.
        contenders: (level, mean) of every contender.
    """

    factor: str
    metric: Metric
    levels: tuple[LevelMean, ...]
    dropped: tuple[str, ...]
    blocks: int
    images: int
    contenders: tuple[tuple[str, float], ...]


def main_effect(
    keys: Sequence[str],
    factor: str,
    settings: Sequence[Settings],
    contenders: Sequence[Contender],
    metric: Metric,
    resamples: int = 2000,
) -> Effect:
    """Marginal means of the levels of one factor, over complete blocks only.

    A block is a combination of the levels of the other factors. Only blocks in which every level of this factor
    was measured count, so that no level gains from easier company; levels that share no block with the others
    are left out until one is complete. The interval is of the level's mean minus the mean of all levels, image by
    image, by bootstrap of examinations: what differs from image to image but not between levels is not in it.

    Args:
        factor: one of them.
        settings: of each contender, the level of each of `keys`; None where it has no such setting.
        contenders: measured on the same images; those that mostly missed the head are in no block, since a few
            trainings that diverged would drown what all others show.
    """
    position = list(keys).index(factor)
    blocks: dict[Settings, dict[str, Contender]] = {}
    dots = []
    for combination, contender in zip(settings, contenders, strict=True):
        level, mean = combination[position], contender.mean(metric)
        if level is None or mean is None:
            continue
        dots.append((level, mean))
        if not contender.mostly_missed:
            blocks.setdefault(combination[:position] + combination[position + 1 :], {})[level] = contender
    measured = sorted({level for level, _ in dots}, key=natural_order)
    levels, complete = _complete(measured, list(blocks.values()))
    means, images = _level_means(levels, complete, metric, resamples)
    used = {mean.level for mean in means}
    dropped = tuple(level for level in measured if level not in used)
    return Effect(factor, metric, means, dropped, len(complete) if means else 0, images, tuple(dots))


def _complete(levels: list[str], blocks: list[dict[str, Contender]]) -> tuple[list[str], list[dict[str, Contender]]]:
    """The levels, as many as can be, that at least one block has all of, and these blocks; none for fewer than two."""
    while len(levels) > 1:
        complete = [block for block in blocks if all(level in block for level in levels)]
        if complete:
            return levels, complete
        # The level that the fewest blocks have beside another one
        shared = {level: sum(level in block and len(block) > 1 for block in blocks) for level in levels}
        levels = [level for level in levels if level != min(reversed(levels), key=lambda level: shared[level])]
    return [], []


def _level_means(
    levels: list[str], blocks: list[dict[str, Contender]], metric: Metric, resamples: int
) -> tuple[tuple[LevelMean, ...], int]:
    """The marginal means, and the number of images that every contender in the blocks has the metric of."""
    scores = [[block[level].scores[metric.column] for block in blocks] for level in levels]
    images = sorted(set.intersection(*(set(of_block) for row in scores for of_block in row))) if blocks else []
    if not images:
        return (), 0
    examinations = [blocks[0][levels[0]].examinations[image] for image in images]
    by_block = np.array([[[block[image] for image in images] for block in level] for level in scores])
    by_level = metric.scale * by_block.mean(axis=1)  # (levels, images)
    total = by_level.mean()
    means = []
    for level, values in zip(levels, by_level, strict=True):
        low, high = bootstrap_mean_interval(values - by_level.mean(axis=0), examinations, resamples=resamples)
        means.append(LevelMean(level, float(values.mean()), float(total + low), float(total + high)))
    return tuple(means), len(images)
