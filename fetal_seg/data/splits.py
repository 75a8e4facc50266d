"""Which images train and which validate.

Images of one examination look alike, so a split that cuts through one measures memory: splits go by examination.
A split is a function of the seed and of the names, never of the order in which the records come.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class _Examination:
    images: tuple[str, ...]
    stratum: int


def split_examinations(
    names: Sequence[str], examinations: Sequence[str], strata: Sequence[int], *, seed: int, val_fraction: float = 0.2
) -> Split:
    """Cut between examinations, with the same share of each stratum in both parts.

    Args:
        names: of the images (n,), unique.
        examinations: of each image (n,).
        strata: of each image (n,): its trimester, or 0 where it is not known.
        seed: of the choice.
        val_fraction: part of the images that validates, in (0, 1).

    Returns:
        A split with exactly ``round(val_fraction * n)`` validation images, or, where no choice of whole
        examinations has that many, as near as can be, with a warning in the log.

    Raises:
        InputError: a part would be empty.
    """
    target = _validation_count(len(names), val_fraction)
    shuffled = _shuffled(names, examinations, strata, seed)
    if len(shuffled) < 2:
        raise InputError(
            f"the {len(names)} images are all of one examination; a split by examination needs two; "
            "add images, or take data.split=random"
        )
    chosen: list[_Examination] = []
    wanted = 0.0
    for stratum in _by_stratum(shuffled):  # what one stratum cannot give is asked from the next
        wanted += val_fraction * _count(stratum)
        chosen += _pick(stratum, round(wanted) - _count(chosen), least=0, most=_count(stratum))
    taken = set(chosen)
    others = [examination for examination in shuffled if examination not in taken]
    chosen = _pick(chosen + others, target, least=1, most=len(names) - 1)
    if _count(chosen) != target:
        logger.warning(
            "%d validation images in place of %d: whole examinations make no other number", _count(chosen), target
        )
    return _split(names, chosen, seed, "examination")


def split_inner(
    names: Sequence[str], examinations: Sequence[str], strata: Sequence[int], *, seed: int, val_fraction: float = 0.2
) -> Split:
    """The training part of `split_examinations`, cut once more: for choices, which the validation part is not to see.

    Args and errors are those of `split_examinations`.
    """
    outer = split_examinations(names, examinations, strata, seed=seed, val_fraction=val_fraction)
    kept = set(outer.train)
    rows = [row for row, name in enumerate(names) if name in kept]
    inner = split_examinations(
        [names[row] for row in rows],
        [examinations[row] for row in rows],
        [strata[row] for row in rows],
        seed=seed,
        val_fraction=val_fraction,
    )
    return replace(inner, kind="inner")


def split_random(names: Sequence[str], examinations: Sequence[str], *, seed: int, val_fraction: float = 0.2) -> Split:
    """Cut between images, whatever their examinations: leaky, as a warning in the log says; for comparison only.

    Args and errors are those of `split_examinations`.
    """
    target = _validation_count(len(names), val_fraction)
    order = np.random.default_rng(seed).permutation(len(names))
    chosen = set(np.array(sorted(names), dtype=object)[order[:target]])
    examination_of = dict(zip(names, examinations, strict=True))
    training = {examination_of[name] for name in names if name not in chosen}
    leaked = sum(examination_of[name] in training for name in chosen)
    logger.warning(
        "the split is random: %d of %d validation images have a sister image, of the same examination, in training, "
        "so that their figures are too good; data.split=examination has none",
        leaked,
        target,
    )
    return _split(names, [_Examination((name,), 0) for name in chosen], seed, "random")


def split_kfold(
    names: Sequence[str], examinations: Sequence[str], strata: Sequence[int], *, seed: int, folds: int, fold: int
) -> Split:
    """Fold `fold` of a cross-validation by examination: each image is in the validation part of one fold.

    Args:
        names, examinations, strata, seed: as in `split_examinations`.
        folds: number of folds, 2 or more; their sizes are as equal as whole examinations allow.
        fold: the one that validates, 0 to ``folds - 1``.

    Raises:
        InputError: folds or fold are out of range, or there are fewer examinations than folds.
    """
    if folds < 2 or not 0 <= fold < folds:
        raise InputError(f"data.folds={folds} data.fold={fold}: folds is 2 or more, fold is 0 to folds - 1; correct it")
    shuffled = _shuffled(names, examinations, strata, seed)
    if len(shuffled) < folds:
        raise InputError(
            f"data.folds={folds}, but there are {len(shuffled)} examinations; each fold needs one; take fewer folds"
        )
    parts: list[list[_Examination]] = [[] for _ in range(folds)]
    for stratum in _by_stratum(shuffled):  # evened out after each stratum, so each is spread evenly
        for examination in sorted(stratum, key=lambda examination: -len(examination.images)):
            min(parts, key=_count).append(examination)
    return _split(names, parts[fold], seed, "kfold", folds, fold)


def _validation_count(images: int, val_fraction: float) -> int:
    count = round(val_fraction * images)
    if not 0 < count < images:
        raise InputError(
            f"data.val_fraction={val_fraction} of {images} images leaves {count} for validation and "
            f"{images - count} for training; both parts need one; change it, or add images"
        )
    return count


def _shuffled(
    names: Sequence[str], examinations: Sequence[str], strata: Sequence[int], seed: int
) -> list[_Examination]:
    """The examinations in random order, with the stratum that most of their images have (the lowest of equals)."""
    images: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, examination, stratum in zip(names, examinations, strata, strict=True):
        images[examination].append((name, stratum))
    merged = []
    for examination in sorted(images):
        counts = Counter(stratum for _, stratum in images[examination])
        stratum = min(counts, key=lambda stratum: (-counts[stratum], stratum))
        merged.append(_Examination(tuple(sorted(name for name, _ in images[examination])), stratum))
    return [merged[index] for index in np.random.default_rng(seed).permutation(len(merged))]


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
    left = min(possible, key=lambda count: abs(count - target))
    picked = []
    for index in reversed(range(len(reached) - 1)):
        if not reached[index] >> left & 1:
            picked.append(examinations[index])
            left -= len(examinations[index].images)
    return picked[::-1]


def _count(examinations: Sequence[_Examination]) -> int:
    return sum(len(examination.images) for examination in examinations)


def _split(
    names: Sequence[str],
    validation: Sequence[_Examination],
    seed: int,
    kind: str,
    folds: int | None = None,
    fold: int | None = None,
) -> Split:
    chosen = {name for examination in validation for name in examination.images}
    train = tuple(sorted(name for name in names if name not in chosen))
    return Split(seed, kind, train, tuple(sorted(chosen)), folds, fold)
