import csv
import json
import logging
import os
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_seg.data.split_files import check_split, read_split, write_split
from fetal_seg.data.splits import Split, SplitImage, split_examinations, split_inner, split_kfold, split_random
from fetal_seg.errors import InputError
from fetal_seg.measurement.biometry import trimester

Images = list[SplitImage]


def _images(sizes: list[int], strata: list[int] | None = None) -> Images:
    """Images of examinations of these sizes, with a stratum for each examination."""
    exams = [index for index, size in enumerate(sizes) for _ in range(size)]
    return [
        SplitImage(f"{exam:03d}_{image}HC.png", f"{exam:03d}", strata[exam] if strata else 0)
        for image, exam in enumerate(exams)
    ]


def _like_hc18(seed: int = 0) -> Images:
    rng = np.random.default_rng(seed)
    sizes = [1] * 642 + [2] * 141 + [3] * 17 + [4] * 6
    strata = rng.choice([1, 2, 3], len(sizes), p=[0.17, 0.68, 0.15])
    return _images(sizes, strata.tolist())


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


def _examinations(images: Images) -> dict[str, str]:
    return {image.name: image.examination for image in images}


def _strata(images: Images) -> dict[str, int]:
    return {image.name: image.stratum for image in images}


def _shared_examinations(split: Split, images: Images) -> set[str]:
    of = _examinations(images)
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


def _all_splits(images: Images) -> list[Split]:
    return [
        split_examinations(images, seed=7),
        split_random(images, seed=7),
        split_kfold(images, seed=7, folds=5, fold=2),
    ]


def test_the_order_of_the_records_does_not_matter_but_the_seed_does(hc18):
    moved = [hc18[index] for index in np.random.default_rng(0).permutation(len(hc18))]
    assert _all_splits(hc18) == _all_splits(moved)
    assert split_examinations(hc18, seed=1).val != split_examinations(hc18, seed=2).val
    assert split_random(hc18, seed=1).val != split_random(hc18, seed=2).val
    one, other = (split_kfold(hc18, seed=seed, folds=5, fold=0) for seed in (1, 2))
    assert one.val != other.val


@settings(deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=40), st.integers(0, 9), st.data())
def test_the_number_of_validation_images_is_exact_or_as_near_as_examinations_allow(sizes, seed, data):
    strata = data.draw(st.lists(st.integers(0, 3), min_size=len(sizes), max_size=len(sizes)))
    images = _images(sizes, strata)
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
    split = split_examinations(_images([4, 4, 4, 4]), seed=0)
    assert len(split.val) == 4
    assert "4 validation images in place of 3" in caplog.text


def test_a_split_that_hits_its_number_is_silent(caplog):
    split_examinations(_images([1] * 20 + [3] * 10), seed=0)
    assert not caplog.records


def test_images_of_one_examination_may_be_of_different_strata():
    images = [image._replace(stratum=1 + index % 2) for index, image in enumerate(_images([3] * 30))]
    split = split_examinations(images, seed=0)
    assert len(split.val) == 18
    assert not _shared_examinations(split, images)


def test_a_random_split_says_how_much_it_leaks(hc18, caplog):
    split = split_random(hc18, seed=3)
    assert (len(split.train), len(split.val), split.kind) == (799, 200, "random")
    _assert_partition(split, hc18)
    of = _examinations(hc18)
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
    images = _images([4, 4, 1, 1, 1, 1])
    assert sorted(len(split_kfold(images, seed=0, folds=4, fold=fold).val) for fold in range(4)) == [2, 2, 4, 4]


@pytest.mark.parametrize("val_fraction", [0.0, 0.01, 0.99, 1.0, -0.2, 1.5])
def test_a_part_without_images_is_refused(val_fraction):
    with pytest.raises(InputError, match=r"val_fraction=.*both parts need one.*change it"):
        split_examinations(_images([1] * 10), seed=0, val_fraction=val_fraction)
    with pytest.raises(InputError, match="val_fraction="):
        split_random(_images([1] * 10), seed=0, val_fraction=val_fraction)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_images_are_refused(count):
    with pytest.raises(InputError, match="add images"):
        split_examinations(_images([1] * count), seed=0)


def test_a_single_examination_cannot_be_cut():
    with pytest.raises(InputError, match="one examination"):
        split_examinations(_images([10]), seed=0)


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (5, 5), (5, -1), (0, 0)])
def test_folds_out_of_range_are_refused(folds, fold):
    with pytest.raises(InputError, match=f"data.folds={folds} data.fold={fold}"):
        split_kfold(_images([1] * 20), seed=0, folds=folds, fold=fold)


def test_more_folds_than_examinations_are_refused():
    with pytest.raises(InputError, match=r"data.folds=5, but there are 4 examinations"):
        split_kfold(_images([3] * 4), seed=0, folds=5, fold=0)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_written_split_is_read_back(tmp_path, index):
    images = _images([1, 2, 3] * 5, [1, 2, 3] * 5)
    split = _all_splits(images)[index]
    path = tmp_path / "run" / "split.json"
    write_split(path, split, _examinations(images))
    assert read_split(path) == split


def test_the_file_has_the_documented_keys_first(tmp_path):
    images = _images([2] * 10)
    split = split_kfold(images, seed=4, folds=5, fold=1)
    of = _examinations(images)
    write_split(tmp_path / "split.json", split, of)
    content = json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))
    assert list(content) == ["seed", "kind", "train", "val", "folds", "fold", "examinations"]
    assert (content["seed"], content["kind"], content["folds"], content["fold"]) == (4, "kfold", 5, 1)
    assert (content["train"], content["val"]) == (list(split.train), list(split.val))
    listed = defaultdict(set)
    for part in ("train", "val"):
        listed[part] = {of[name] for name in content[part]}
        assert content["examinations"][part] == sorted(listed[part])


def test_a_file_with_the_four_keys_alone_is_read(tmp_path):
    path = tmp_path / "split.json"
    path.write_text('{"seed": 1, "kind": "examination", "train": ["b.png", "a.png"], "val": ["c.png"]}', "utf-8")
    assert read_split(path) == Split(1, "examination", ("b.png", "a.png"), ("c.png",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ('{"seed": 0, "train": [', "cannot be read"),
        ("[]", "lacks seed, kind, train, val"),
        ('{"seed": 0, "kind": "examination", "train": ["a"]}', "lacks val"),
        ('{"seed": 0, "kind": "examination", "train": ["a"], "val": "b"}', "val of the split"),
        ('{"seed": 0, "kind": "examination", "train": [1], "val": ["b"]}', "train of the split"),
        ('{"seed": "x", "kind": "examination", "train": ["a"], "val": ["b"]}', "seed of the split"),
        ('{"seed": 0, "kind": "kfold", "train": ["a"], "val": ["b"], "folds": "5"}', "folds of the split"),
    ],
)
def test_what_is_no_split_is_refused(tmp_path, text, message):
    path = tmp_path / "split.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"{message}.*correct the file"):
        read_split(path)


def test_binary_and_missing_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_split(tmp_path / "split.json")
    (tmp_path / "split.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_split(tmp_path / "split.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_split(tmp_path)


def test_a_split_of_other_data_is_refused_and_all_is_told_at_once():
    split = Split(0, "examination", ("a", "b", "x"), ("b", "y"))
    with pytest.raises(InputError) as caught:
        check_split(split, {"a": "1", "b": "2", "c": "3"})
    message = str(caught.value)
    assert "names x, y, not in the data" in message
    assert "names b more than once" in message


@pytest.mark.parametrize(("train", "val"), [((), ("a",)), (("a",), ())])
def test_an_empty_part_is_refused(train, val):
    with pytest.raises(InputError, match="empty"):
        check_split(Split(0, "examination", train, val), {"a": "1"})


def test_an_examination_on_both_sides_is_told(caplog):
    check_split(Split(0, "random", ("a", "b"), ("c",)), {"a": "1", "b": "2", "c": "2", "d": "3"})
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "2" in record.getMessage()


def test_a_clean_split_is_silent(caplog):
    check_split(Split(0, "examination", ("a",), ("b",)), {"a": "1", "b": "2"})
    assert not caplog.records


def test_the_inner_split_cuts_the_training_part_alone(hc18):
    outer = split_examinations(hc18, seed=0)
    inner = split_inner(hc18, seed=0)
    assert set(inner.train) | set(inner.val) == set(outer.train)
    assert not set(inner.train) & set(inner.val)
    of = _examinations(hc18)
    assert not {of[name] for name in inner.train} & {of[name] for name in inner.val}
    assert len(inner.val) == round(0.2 * len(outer.train))
    assert inner.kind == "inner"
