import csv
import logging
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.data.splits import Split, SplitImage, split_examinations, split_inner, split_kfold, split_random
from fetal_seg.errors import InputError
from fetal_seg.measurement.biometry import trimester
from tests.data.split_images import Images, all_splits, examinations_of, images_of


def _like_hc18(seed: int = 0) -> Images:
    rng = np.random.default_rng(seed)
    sizes = [1] * 642 + [2] * 141 + [3] * 17 + [4] * 6
    strata = rng.choice([1, 2, 3], len(sizes), p=[0.17, 0.68, 0.15])
    return images_of(sizes, strata.tolist())


def _real_hc18() -> Images:
    table = Path(os.environ["HC18_ROOT"]) / "training_set_pixel_size_and_HC.csv"
    with table.open(newline="", encoding="utf-8") as file:
        return [
            SplitImage(row["filename"], row["filename"].split("_")[0], trimester(float(row["head circumference (mm)"])))
            for row in csv.DictReader(file)
        ]


@pytest.fixture(
    params=[
        "simulated",
        pytest.param(
            "real",
            marks=pytest.mark.skipif(not os.environ.get("HC18_ROOT"), reason="HC18_ROOT does not say where HC18 is"),
        ),
    ]
)
def hc18(request: pytest.FixtureRequest) -> Images:
    return _real_hc18() if request.param == "real" else _like_hc18()


def _shares(part, strata_of) -> dict[int, float]:
    counts = Counter(strata_of[name] for name in part)
    return {stratum: counts[stratum] / len(part) for stratum in (1, 2, 3)}


def _assert_partition(split: Split, images: Images) -> None:
    assert sorted([*split.train, *split.val]) == sorted(image.name for image in images)
    assert list(split.train) == sorted(split.train)
    assert list(split.val) == sorted(split.val)


def _strata(images: Images) -> dict[str, int]:
    return {image.name: image.stratum for image in images}


def _shared_examinations(split: Split, images: Images) -> set[str]:
    of = examinations_of(images)
    return {of[name] for name in split.train} & {of[name] for name in split.val}


@pytest.mark.parametrize("seed", range(51))
def test_hc18_is_cut_799_to_200_between_examinations_with_balanced_trimesters(hc18, seed):
    split = split_examinations(hc18, seed=seed)
    assert (len(split.train), len(split.val)) == (799, 200)
    assert (split.seed, split.kind) == (seed, "examination")
    _assert_partition(split, hc18)
    assert not _shared_examinations(split, hc18)
    strata_of = _strata(hc18)
    train, val = _shares(split.train, strata_of), _shares(split.val, strata_of)
    assert all(abs(train[stratum] - val[stratum]) <= 0.02 for stratum in train)


def test_each_examination_validates_about_as_often_as_any_other(hc18):
    counts = Counter(name for seed in range(50) for name in split_examinations(hc18, seed=seed).val)
    often = np.array([counts[image.name] for image in hc18])
    assert often.mean() == pytest.approx(10.0, abs=0.05)
    assert often.max() < 28
    sizes = Counter(image.examination for image in hc18)
    several = np.array([sizes[image.examination] > 1 for image in hc18])
    assert often[several].mean() == pytest.approx(10, abs=0.8)  # sisters are not left to one part


def test_the_order_of_the_records_does_not_matter_but_the_seed_does(hc18):
    moved = [hc18[index] for index in np.random.default_rng(0).permutation(len(hc18))]
    assert all_splits(hc18) == all_splits(moved)
    assert split_examinations(hc18, seed=1).val != split_examinations(hc18, seed=2).val
    assert split_random(hc18, seed=1).val != split_random(hc18, seed=2).val
    one, other = (split_kfold(hc18, seed=seed, folds=5, fold=0) for seed in (1, 2))
    assert one.val != other.val


@given(st.lists(st.integers(1, 6), min_size=2, max_size=40), st.integers(0, 9), st.data())
def test_the_number_of_validation_images_is_exact_or_as_near_as_examinations_allow(sizes, seed, data):
    strata = data.draw(st.lists(st.integers(0, 3), min_size=len(sizes), max_size=len(sizes)))
    images = images_of(sizes, strata)
    target = round(0.2 * len(images))
    if not 0 < target < len(images):
        return
    split = split_examinations(images, seed=seed)
    _assert_partition(split, images)
    assert not _shared_examinations(split, images)
    sums = {0}
    for size in sizes:
        sums |= {total + size for total in sums}
    nearest = min(abs(total - target) for total in sums if 0 < total < len(images))
    assert abs(len(split.val) - target) == nearest


def test_a_number_that_cannot_be_hit_is_told(caplog):
    split = split_examinations(images_of([4, 4, 4, 4]), seed=0)
    assert len(split.val) == 4
    assert "4 validation images in place of 3" in caplog.text


def test_a_split_that_hits_its_number_is_silent(caplog):
    split_examinations(images_of([1] * 20 + [3] * 10), seed=0)
    assert not caplog.records


def test_images_of_one_examination_may_be_of_different_strata():
    images = [image._replace(stratum=1 + index % 2) for index, image in enumerate(images_of([3] * 30))]
    split = split_examinations(images, seed=0)
    assert len(split.val) == 18
    assert not _shared_examinations(split, images)


def test_a_random_split_says_how_much_it_leaks(hc18, caplog):
    split = split_random(hc18, seed=3)
    assert (len(split.train), len(split.val), split.kind) == (799, 200, "random")
    _assert_partition(split, hc18)
    of = examinations_of(hc18)
    training = {of[name] for name in split.train}
    leaked = sum(of[name] in training for name in split.val)
    assert 30 < leaked < 90
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{leaked} of 200 validation images have a sister" in record.getMessage()


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_each_image_is_in_one_fold_of_a_cross_validation(hc18, folds):
    splits = [split_kfold(hc18, seed=1, folds=folds, fold=fold) for fold in range(folds)]
    assert sorted(name for split in splits for name in split.val) == sorted(image.name for image in hc18)
    sizes = [len(split.val) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    strata_of = _strata(hc18)
    everywhere = _shares(strata_of, strata_of)
    for fold, split in enumerate(splits):
        assert (split.kind, split.folds, split.fold) == ("kfold", folds, fold)
        _assert_partition(split, hc18)
        assert not _shared_examinations(split, hc18)
        here = _shares(split.val, strata_of)
        assert all(abs(here[stratum] - everywhere[stratum]) < 0.03 for stratum in here)


def test_folds_of_large_examinations_are_as_equal_as_they_can_be():
    images = images_of([4, 4, 1, 1, 1, 1])
    assert sorted(len(split_kfold(images, seed=0, folds=4, fold=fold).val) for fold in range(4)) == [2, 2, 4, 4]


@pytest.mark.parametrize("val_fraction", [0.0, 0.01, 0.99, 1.0, -0.2, 1.5])
def test_a_part_without_images_is_refused(val_fraction):
    with pytest.raises(InputError, match=r"val_fraction=.*both parts need one.*change it"):
        split_examinations(images_of([1] * 10), seed=0, val_fraction=val_fraction)
    with pytest.raises(InputError, match="val_fraction="):
        split_random(images_of([1] * 10), seed=0, val_fraction=val_fraction)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_images_are_refused(count):
    with pytest.raises(InputError, match="add images"):
        split_examinations(images_of([1] * count), seed=0)


def test_a_single_examination_cannot_be_cut():
    with pytest.raises(InputError, match="one examination"):
        split_examinations(images_of([10]), seed=0)


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (5, 5), (5, -1), (0, 0)])
def test_folds_out_of_range_are_refused(folds, fold):
    with pytest.raises(InputError, match=f"data.folds={folds} data.fold={fold}"):
        split_kfold(images_of([1] * 20), seed=0, folds=folds, fold=fold)


def test_more_folds_than_examinations_are_refused():
    with pytest.raises(InputError, match=r"data.folds=5, but there are 4 examinations"):
        split_kfold(images_of([3] * 4), seed=0, folds=5, fold=0)


def test_the_inner_split_cuts_the_training_part_alone(hc18):
    outer = split_examinations(hc18, seed=0)
    inner = split_inner(hc18, seed=0)
    assert set(inner.train) | set(inner.val) == set(outer.train)
    assert not set(inner.train) & set(inner.val)
    of = examinations_of(hc18)
    assert not {of[name] for name in inner.train} & {of[name] for name in inner.val}
    assert len(inner.val) == round(0.2 * len(outer.train))
    assert inner.kind == "inner"
