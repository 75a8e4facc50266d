import json
import logging
from collections import defaultdict

import pytest

from fetal_seg.data.split_files import check_split, read_split, write_split
from fetal_seg.data.splits import Split, split_kfold
from fetal_seg.errors import InputError
from tests.data.split_images import all_splits, examinations_of, images_of


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_written_split_is_read_back(tmp_path, index):
    images = images_of([1, 2, 3] * 5, [1, 2, 3] * 5)
    split = all_splits(images)[index]
    path = tmp_path / "run" / "split.json"
    write_split(path, split, examinations_of(images))
    assert read_split(path) == split


def test_the_file_has_the_documented_keys_first(tmp_path):
    images = images_of([2] * 10)
    split = split_kfold(images, seed=4, folds=5, fold=1)
    of = examinations_of(images)
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
