from dataclasses import replace

import pytest

from fetal_seg.data.split_files import write_split
from fetal_seg.data.split_rule import SplitRule
from fetal_seg.data.splits import split_examinations, split_inner, split_kfold, split_random
from fetal_seg.errors import InputError
from fetal_seg.measurement.biometry import trimester
from tests.data.made_records import make_records


@pytest.fixture
def records(tmp_path):
    return make_records(tmp_path / "a", 40)


def test_each_kind_is_the_split_of_its_name_with_trimesters_as_strata(records):
    ellipses = [record.read_truth()[0] for record in records]
    names, examinations = [record.name for record in records], [record.examination for record in records]
    strata = [
        trimester(ellipse.circumference * record.pixel_size_mm)
        for record, ellipse in zip(records, ellipses, strict=True)
    ]
    expected = {
        "examination": split_examinations(names, examinations, strata, seed=3, val_fraction=0.3),
        "inner": split_inner(names, examinations, strata, seed=3, val_fraction=0.3),
        "random": split_random(names, examinations, seed=3, val_fraction=0.3),
        "kfold": split_kfold(names, examinations, strata, seed=3, folds=4, fold=1),
    }
    for kind, split in expected.items():
        assert SplitRule(kind, seed=3, val_fraction=0.3, folds=4, fold=1).apply(records, ellipses) == split


def test_without_pixel_sizes_all_are_of_one_stratum(records):
    ellipses = [record.read_truth()[0] for record in records]
    unsized = [replace(record, pixel_size_mm=None) for record in records]
    names, examinations = [record.name for record in records], [record.examination for record in records]
    assert SplitRule().apply(unsized, ellipses) == split_examinations(names, examinations, [0] * 40, seed=0)


def test_a_file_goes_before_the_rule_and_must_fit(records, tmp_path):
    ellipses = [record.read_truth()[0] for record in records]
    split = SplitRule(seed=7).apply(records, ellipses)
    write_split(tmp_path / "split.json", split, {record.name: record.examination for record in records})
    rule = SplitRule("kfold", file=tmp_path / "split.json")
    assert rule.apply(records, ellipses) == split
    with pytest.raises(InputError, match="not in the data"):
        rule.apply(records[:30], ellipses[:30])
