"""Main effects: what each setting does on average, whatever the others are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_seg.evaluation.clustered_statistics import bootstrap_mean_interval
from fetal_seg.evaluation.contenders import Contender, Image, Measure
from fetal_seg.evaluation.runs import natural

Settings = tuple[str | None, ...]  # the level of each factor


@dataclass(frozen=True)
class LevelMean:
    """The marginal mean of one level, with the interval of its distance from the mean of all levels around it.

    Numbers are in the unit that the measure is shown in.
    """

    level: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """What a factor does to a measure.

    Attributes:
        factor: its key.
        measure: what was measured.
        levels: marginal means over the complete blocks; empty where no block is complete.
        dropped: levels that were left out, since no block has them beside the others.
        blocks: combinations of the other factors in which every one of `levels` was measured.
        images: how many images the means are over.
        contenders: (level, mean) of every contender.
    """

    factor: str
    measure: Measure
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
    measure: Measure,
    resamples: int = 2000,
) -> Effect:
    """Marginal means of the levels of one factor, over complete blocks only.

    A block is a combination of the levels of the other factors. Only blocks in which every level of this factor
    was measured count, so that no level gains from easier company; levels that share no block with the others
    are left out until one is complete. The interval is of the level's mean minus the mean of all levels, image by
    image, by bootstrap of examinations: what differs from image to image but not between levels is not in it.

    Args:
        keys: all factors.
        factor: one of them.
        settings: of each contender, the level of each of `keys`; None where it has no such setting.
        contenders: measured on the same images; those that mostly missed the head are in no block, since a few
            trainings that diverged would drown what all others show.
        measure: what the means are of.
        resamples: how often the examinations are drawn.
    """
    place = list(keys).index(factor)
    blocks: dict[Settings, dict[str, Contender]] = {}
    dots = []
    for own, each in zip(settings, contenders, strict=True):
        level, mean = own[place], each.mean(measure)
        if level is None or mean is None:
            continue
        dots.append((level, mean))
        if not each.mostly_missed:
            blocks.setdefault(own[:place] + own[place + 1 :], {})[level] = each
    levels, complete = _complete(sorted({level for level, _ in dots}, key=natural), list(blocks.values()))
    means, images = _level_means(levels, complete, measure, resamples)
    used = {each.level for each in means}
    dropped = tuple(level for level in sorted({level for level, _ in dots}, key=natural) if level not in used)
    return Effect(factor, measure, means, dropped, len(complete) if means else 0, images, tuple(dots))


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
    levels: list[str], blocks: list[dict[str, Contender]], measure: Measure, resamples: int
) -> tuple[tuple[LevelMean, ...], int]:
    """The marginal means, and the number of images that every contender in the blocks has the measure of."""
    scores = [[block[level].scores[measure.column] for block in blocks] for level in levels]
    images = sorted(set.intersection(*(set(own) for row in scores for own in row))) if blocks else []
    if not images:
        return (), 0
    examinations = [blocks[0][levels[0]].examinations[image] for image in images]
    by_level = measure.scale * np.array([_mean_scores(row, images) for row in scores])  # (levels, images)
    total = by_level.mean()
    found = []
    for level, values in zip(levels, by_level, strict=True):
        low, high = bootstrap_mean_interval(values - by_level.mean(axis=0), examinations, resamples=resamples)
        found.append(LevelMean(level, float(values.mean()), float(total + low), float(total + high)))
    return tuple(found), len(images)


def _mean_scores(scores: Sequence[dict[Image, float]], images: Sequence[Image]) -> NDArray[np.float64]:
    """The mean over blocks, for each image (images,)."""
    return np.array([[own[image] for image in images] for own in scores]).mean(axis=0)
