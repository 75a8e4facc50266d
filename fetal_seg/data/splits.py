"""Which images train and which validate.

Images of one examination look alike, so a split that cuts through one measures memory: splits go by examination.
A split is a function of the seed and of the names, never of the order in which the records come.
"""

import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from fetal_seg.errors import InputError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """File names of the training and the validation images, each part sorted.

    Attributes:
        seed: of the random order that it was cut from.
        kind: ``examination``, ``inner``, ``random`` or ``kfold``.
        train, val: names as the data set's CSV has them.
        folds, fold: with ``kfold``, how many there are and which one validates, from 0.
    """

    seed: int
    kind: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    folds: int | None = None
    fold: int | None = None


class SplitImage(NamedTuple):
    """An image to be put into a part: its name (unique), its examination, its trimester (0 where it is not known)."""

    name: str
    examination: str
    stratum: int = 0


@dataclass(frozen=True)
class _Examination:
    images: tuple[str, ...]
    stratum: int


def split_examinations(images: Sequence[SplitImage], *, seed: int, val_fraction: float = 0.2) -> Split:
    """Cut between examinations, with the same share of each stratum in both parts.

    Args:
        images: of the data set.
        seed: of the choice.
        val_fraction: part of the images that validates, in (0, 1).

    Returns:
        A split with exactly ``round(val_fraction * n)`` validation images, or, where no choice of whole
        examinations has that many, as near as can be, with a warning in the log.

    Raises:
        InputError: a part would be empty.

    >>> images = [SplitImage("1a", "1"), SplitImage("1b", "1"), *(SplitImage(name, name) for name in "23456789")]
    >>> split = split_examinations(images, seed=0)
    >>> len(split.val), {"1a", "1b"} <= set(split.train) or {"1a", "1b"} <= set(split.val)
    (2, True)
    """
    target = _validation_count(len(images), val_fraction)
    shuffled = _shuffled(images, seed)
    if len(shuffled) < 2:
        raise InputError(
            f"the {len(images)} images are all of one examination; a split by examination needs two; "
            "add images, or take data.split=random"
        )
    chosen: list[_Examination] = []
    wanted = 0.0
    for stratum in _by_stratum(shuffled):  # what one stratum cannot give is asked from the next
        wanted += val_fraction * _count(stratum)
        chosen += _pick(stratum, round(wanted) - _count(chosen), least=0, most=_count(stratum))
    taken = set(chosen)
    unchosen = [examination for examination in shuffled if examination not in taken]
    chosen = _pick(chosen + unchosen, target, least=1, most=len(images) - 1)
    if _count(chosen) != target:
        logger.warning(
            "%d validation images in place of %d: whole examinations make no other number", _count(chosen), target
        )
    return _split(images, _names(chosen), seed, "examination")


def split_inner(images: Sequence[SplitImage], *, seed: int, val_fraction: float = 0.2) -> Split:
    """The training part of `split_examinations`, cut once more: for choices, which the validation part is not to see.

    Args and errors are those of `split_examinations`.
    """
    outer = set(split_examinations(images, seed=seed, val_fraction=val_fraction).train)
    training = [image for image in images if image.name in outer]
    return replace(split_examinations(training, seed=seed, val_fraction=val_fraction), kind="inner")


def split_random(images: Sequence[SplitImage], *, seed: int, val_fraction: float = 0.2) -> Split:
    """Cut between images, whatever their examinations: leaky, as a warning in the log says; for comparison only.

    Args and errors are those of `split_examinations`.
    """
    target = _validation_count(len(images), val_fraction)
    by_name = sorted(images)
    shuffled = [by_name[index] for index in np.random.default_rng(seed).permutation(len(images))]
    training = {image.examination for image in shuffled[target:]}
    leaked = sum(image.examination in training for image in shuffled[:target])
    logger.warning(
        "the split is random: %d of %d validation images have a sister image, of the same examination, in training, "
        "so that their figures are too good; data.split=examination has none",
        leaked,
        target,
    )
    return _split(images, {image.name for image in shuffled[:target]}, seed, "random")


def split_kfold(images: Sequence[SplitImage], *, seed: int, folds: int, fold: int) -> Split:
    """Fold `fold` of a cross-validation by examination: each image is in the validation part of one fold.

    Args:
        images, seed: as in `split_examinations`.
        folds: number of folds, 2 or more; their sizes are as equal as whole examinations allow.
        fold: the one that validates, 0 to ``folds - 1``.

    Raises:
        InputError: folds or fold are out of range, or there are fewer examinations than folds.

    >>> images = [SplitImage(name, name) for name in "abcdef"]
    >>> parts = [split_kfold(images, seed=0, folds=3, fold=fold).val for fold in range(3)]
    >>> sorted(name for part in parts for name in part)
    ['a', 'b', 'c', 'd', 'e', 'f']
    """
    if folds < 2 or not 0 <= fold < folds:
        raise InputError(f"data.folds={folds} data.fold={fold}: folds is 2 or more, fold is 0 to folds - 1; correct it")
    shuffled = _shuffled(images, seed)
    if len(shuffled) < folds:
        raise InputError(
            f"data.folds={folds}, but there are {len(shuffled)} examinations; each fold needs one; take fewer folds"
        )
    parts: list[list[_Examination]] = [[] for _ in range(folds)]
    for stratum in _by_stratum(shuffled):  # evened out after each stratum, so each is spread evenly
        for examination in sorted(stratum, key=lambda examination: -len(examination.images)):
            min(parts, key=_count).append(examination)
    return _split(images, _names(parts[fold]), seed, "kfold", folds, fold)


def _validation_count(images: int, val_fraction: float) -> int:
    count = round(val_fraction * images)
    if not 0 < count < images:
        raise InputError(
            f"data.val_fraction={val_fraction} of {images} images leaves {count} for validation and "
            f"{images - count} for training; both parts need one; change it, or add images"
        )
    return count


def _shuffled(images: Sequence[SplitImage], seed: int) -> list[_Examination]:
    """The examinations in random order, with the stratum that most of their images have (the lowest of equals)."""
    merged = []
    for _, group in itertools.groupby(sorted(images, key=_order), key=lambda image: image.examination):
        names, _, strata = zip(*group, strict=True)
        counts = Counter(strata)
        merged.append(_Examination(names, min(counts, key=lambda stratum: (-counts[stratum], stratum))))
    return [merged[index] for index in np.random.default_rng(seed).permutation(len(merged))]


def _order(image: SplitImage) -> tuple[str, str]:
    return image.examination, image.name


def _by_stratum(examinations: Sequence[_Examination]) -> list[list[_Examination]]:
    """The examinations of each stratum, smallest stratum first: the largest can best even out what others left."""
    strata: dict[int, list[_Examination]] = defaultdict(list)
    for examination in examinations:
        strata[examination.stratum].append(examination)
    return sorted(strata.values(), key=lambda stratum: (_count(stratum), stratum[0].stratum))


def _pick(examinations: Sequence[_Examination], target: int, *, least: int, most: int) -> list[_Examination]:
    """Examinations with `target` images in all, or as near as can be within `least` to `most`; the first if they will.

    Subset sums: bit s of ``reached[k]`` says whether some of the first k examinations have s images in all.
    """
    reached = [1]
    for examination in examinations:
        if least <= target <= most and reached[-1] >> target & 1:
            break
        reached.append((reached[-1] | reached[-1] << len(examination.images)) & ((2 << most) - 1))
    possible = [count for count in range(least, most + 1) if reached[-1] >> count & 1]
    missing = min(possible, key=lambda count: abs(count - target))
    picked = []
    for index in reversed(range(len(reached) - 1)):
        if not reached[index] >> missing & 1:
            picked.append(examinations[index])
            missing -= len(examinations[index].images)
    return picked[::-1]


def _count(examinations: Sequence[_Examination]) -> int:
    return sum(len(examination.images) for examination in examinations)


def _names(examinations: Sequence[_Examination]) -> set[str]:
    return {name for examination in examinations for name in examination.images}


def _split(images: Sequence[SplitImage], validation: set[str], seed: int, kind: str, *folds: int) -> Split:
    train = sorted(image.name for image in images if image.name not in validation)
    return Split(seed, kind, tuple(train), tuple(sorted(validation)), *folds)
