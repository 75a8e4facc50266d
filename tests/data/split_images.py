"""Names, examinations and strata of images that are to be split, for tests."""

from fetal_seg.data.splits import Split, split_examinations, split_kfold, split_random

Images = tuple[list[str], list[str], list[int]]


def images_of(sizes: list[int], strata: list[int] | None = None) -> Images:
    """Names, examinations and strata of examinations of these sizes."""
    exams = [index for index, size in enumerate(sizes) for _ in range(size)]
    names = [f"{exam:03d}_{image}HC.png" for image, exam in enumerate(exams)]
    return names, [f"{exam:03d}" for exam in exams], [strata[exam] if strata else 0 for exam in exams]


def all_splits(names, examinations, strata) -> list[Split]:
    return [
        split_examinations(names, examinations, strata, seed=7),
        split_random(names, examinations, seed=7),
        split_kfold(names, examinations, strata, seed=7, folds=5, fold=2),
    ]
