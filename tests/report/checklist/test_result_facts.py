from dataclasses import replace

import numpy as np
import pytest

from fetal_seg.report.checklist import result_facts
from fetal_seg.report.checklist.points import Missing
from tests.report.checklist.recorded import WEIGHTS, evaluated, records, write_evaluation, write_recorded
from tests.run_folders import scores

ROWS = scores(0.95)


@pytest.fixture
def told(tmp_path):
    return evaluated(tmp_path / "run")


def test_means_are_those_of_the_images(told):
    text = result_facts.performance(told).text
    assert text.startswith("24 images, 0 missed (mean, 95 % interval): Dice 95.00 % (")
    assert f"ADF {np.mean([row['adf_mm'] for row in ROWS]):.2f} mm (" in text
    assert "NSD at 1 mm 0.00 % (0.00 to 0.00)" in text or "NSD at 1 mm is known of no image" in text
    assert result_facts.uncertainty(told).text == "95 % intervals by bootstrap over 12 examinations, of 24 images"


def test_a_trimester_without_images_has_no_measure(told):
    text = result_facts.subgroups(told).text
    assert "trimester 1: 0 images, 0 missed, no measure. trimester 2: 24 images, 0 missed, ellipse Dice 95.00 %" in text
    assert text.endswith("97.68 and 258.36 mm")


def test_the_worst_are_missed_heads_and_then_the_largest_errors(tmp_path):
    told = records(write_recorded(tmp_path / "run", scores(0.95, missed=(7,))))
    ordered = sorted((row for row in ROWS if row["file"] != "007_HC.png"), key=lambda row: -row["adf_mm"])
    text = result_facts.worst_cases(told).text
    assert text.startswith("1 of 24 heads missed; the worst: 007_HC.png (missed); ")
    assert [part.split(" ")[0] for part in text.split("; ")[2:]] == [row["file"] for row in ordered[:4]]
    assert f"ADF {ordered[0]['adf_mm']:.2f} mm" in text


def test_limits_of_agreement(told):
    errors = np.array([row["df_mm"] for row in ROWS])
    spread = 1.96 * errors.std(ddof=1)
    low, high = errors.mean() - spread, errors.mean() + spread
    assert f"{errors.mean():+.2f} mm, 95 % limits of agreement {low:+.2f} to {high:+.2f} mm" in (
        result_facts.agreement(told).text
    )


def test_intervals_and_calibration(told, tmp_path):
    assert result_facts.coverage(told).text == "none of 24 images has an interval of its circumference"
    assert result_facts.calibration(told).text == "intervals of the errors of 24 held-out images; no head gate"
    rows = [row | {"hc_low_mm": 100.0, "hc_high_mm": 110.0, "covered": index < 18} for index, row in enumerate(ROWS)]
    covered = records(write_recorded(tmp_path / "covered", rows), replace(WEIGHTS, gate=(1059, 157)))
    text = result_facts.coverage(covered).text
    assert text.startswith("90 % intervals hold 75.0 % (")
    assert text.endswith("of the true circumferences of 24 images; mean width 10.0 mm")
    assert result_facts.calibration(covered).text.endswith("head gate of 1059 heads and 157 other planes")
    none = records(write_recorded(tmp_path / "none", ROWS), replace(WEIGHTS, calibrated=None))
    assert result_facts.calibration(none).text == "no intervals, of 24 heads that were found; no head gate"


def test_flags_are_counted_with_their_errors(tmp_path):
    rows = [row | {"flag": "check" if index < 4 else "ok"} for index, row in enumerate(ROWS)]
    told = records(write_recorded(tmp_path / "run", rows))
    ok, check = (np.mean([row["adf_mm"] for row in rows if row["flag"] == flag]) for flag in ("ok", "check"))
    assert result_facts.flags(told).text == f"flags of 24 images: ok 20 (ADF {ok:.2f} mm), check 4 (ADF {check:.2f} mm)"


def test_other_images_are_told_once_they_are_evaluated(told):
    folder = told.run.folder
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "best.ckpt").touch()
    assert result_facts.external(told) == Missing(
        "external/summary.json",
        f"evaluate ckpt={folder}/checkpoints/best.ckpt data=folder data.root=FOLDER output={folder}/external",
    )
    write_evaluation(folder / "external", scores(0.9, images=6))
    assert result_facts.external(records(folder)).text.startswith(
        "6 images, 0 missed (mean, 95 % interval): Dice 90.00 %"
    )


def test_what_ran_the_network(told):
    assert result_facts.runtime(told).text == "1 network, run by PyTorch"


def test_without_an_evaluation_each_names_what_makes_it(tmp_path):
    folder = write_recorded(tmp_path / "run")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "best.ckpt").touch()
    told = records(folder, replace(WEIGHTS, calibrated=None))
    command = f"evaluate ckpt={folder}/checkpoints/best.ckpt calibrate=true output={folder}/evaluation"
    for fact in (result_facts.performance, result_facts.subgroups, result_facts.agreement, result_facts.coverage):
        assert fact(told) == Missing("evaluation/summary.json", command)
    for fact in (result_facts.uncertainty, result_facts.worst_cases, result_facts.flags):
        assert fact(told) == Missing("evaluation/per_image.csv", command)
    assert result_facts.runtime(told) == Missing("evaluation/summary.json", command)
    assert result_facts.calibration(told) == Missing("the calibration in checkpoints/best.ckpt", command)
    assert isinstance(result_facts.calibration(replace(told, weights=None)), Missing)
