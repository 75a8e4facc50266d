import json

import pytest

from fetal_seg.report.checklist import data_facts
from fetal_seg.report.checklist.points import Missing
from tests.report.checklist.recorded import GROUPS, SPLIT, evaluated, records, write_recorded
from tests.run_folders import scores


@pytest.fixture
def told(tmp_path):
    return evaluated(tmp_path / "run")


def test_the_source_is_told_with_its_fingerprint(told):
    assert data_facts.source(told).text == (
        f"data=phantom, from a <b> folder; fingerprint of all its records {'f' * 32}"
    )


def test_what_else_trained_is_told(tmp_path):
    data = GROUPS["data"] | {"extra": "more", "negatives": "planes"}
    assert data_facts.source(evaluated(tmp_path / "run", groups=GROUPS | {"data": data})).text.endswith(
        "besides it trained on extra=more, negatives=planes"
    )


def test_parts_are_counted(told):
    assert data_facts.partitions(told).text == (
        "split of kind random, seed 3: 3 images of 2 examinations to train; 1 image of 1 examination to validate"
    )
    assert data_facts.subset(told).text == "4 images of data=phantom, taken by limit=null"


def test_a_fold_is_named(tmp_path):
    split = SPLIT | {"kind": "kfold", "folds": 5, "fold": 2}
    assert "fold 2 of 5" in data_facts.partitions(evaluated(tmp_path / "run", split=split)).text


def test_the_audit_counts_what_stands_on_both_sides(told, tmp_path):
    assert (
        data_facts.leak_audit(told).text == "on both sides of the split stand 0 of 4 images and 1 of 2 examinations: 2"
    )
    split = SPLIT | {"val": ["c", "d"], "examinations": {"train": ["1"], "val": ["2"]}}
    assert data_facts.leak_audit(evaluated(tmp_path / "other", split=split)).text == (
        "on both sides of the split stand 1 of 4 images and 0 of 2 examinations"
    )


def test_the_cases_are_those_of_the_evaluation(told):
    rows = scores(0.95)
    mean = sum(row["hc_true_mm"] for row in rows) / len(rows)
    text = data_facts.validation_cases(told).text
    assert text.startswith(f"{len(rows)} validation images with a head; true circumference {mean:.1f} mm")
    assert text.endswith("0, 24, 0 of trimesters 1, 2, 3 by it")


def test_images_without_a_pixel_size_are_counted(tmp_path):
    rows = [row | ({"hc_true_mm": None} if index < 3 else {}) for index, row in enumerate(scores(0.95))]
    told = records(write_recorded(tmp_path / "run", rows))
    assert data_facts.missing_data(told).text == (
        "of 24 validation images with a head 3 have no pixel size; 0 other images without a head"
    )


def test_preparation_is_that_of_the_checkpoint(told):
    text = data_facts.preprocessing(told).text
    assert "96 x 144 px" in text
    assert "less 0.15, by 0.2" in text


def test_only_what_changes_an_image_is_augmentation(told, tmp_path):
    assert data_facts.augmentation(told).text.endswith(": rotation_deg=30, scale=1.25")
    groups = GROUPS | {"augmentation": {"enabled": False}}
    assert "enabled=false" in data_facts.augmentation(evaluated(tmp_path / "none", groups=groups)).text


def test_measures_are_those_that_some_image_has(told):
    assert data_facts.measures(told).text.startswith("of each of 24 images: Dice in %, IoU in %, ellipse Dice in %")


def test_each_names_the_record_that_is_missing(tmp_path):
    folder = write_recorded(tmp_path / "run")
    (folder / "split.json").unlink()
    (folder / ".hydra" / "config.yaml").unlink()
    run = folder / "run.json"
    run.write_text(json.dumps({"status": "failed", "command": ["train.py"]}))
    told = records(folder, weights=None)
    facts = {
        data_facts.source: "run.json",
        data_facts.partitions: "split.json",
        data_facts.subset: "split.json",
        data_facts.leak_audit: "split.json",
        data_facts.validation_cases: "evaluation/summary.json",
        data_facts.missing_data: "evaluation/summary.json",
        data_facts.measures: "evaluation/per_image.csv",
        data_facts.preprocessing: "checkpoints/best.ckpt",
        data_facts.augmentation: ".hydra/config.yaml",
    }
    for fact, record in facts.items():
        assert fact(told) == Missing(record, "python train.py data=phantom")
