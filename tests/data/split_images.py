"""Images that are to be split, for tests."""

from fetal_seg.data.splits import Split, SplitImage, split_examinations, split_kfold, split_random

Images = list[SplitImage]


def images_of(sizes: list[int], strata: list[int] | None = None) -> Images:
    """Images of examinations of these sizes, with a stratum for each examination."""
    exams = [index for index, size in enumerate(sizes) for _ in range(size)]
    return [
        SplitImage(f"{exam:03d}_{image}HC.png", f"{exam:03d}", strata[exam] if strata else 0)
        for image, exam in enumerate(exams)
    ]


def all_splits(images: Images) -> list[Split]:
    return [
        split_examinations(images, seed=7),
        split_random(images, seed=7),
        split_kfold(images, seed=7, folds=5, fold=2),
    ]


def examinations_of(images: Images) -> dict[str, str]:
    return {image.name: image.examination for image in images}
