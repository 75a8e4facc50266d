import json
import math

import numpy as np
import pytest

from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.evaluation.summary import final_metrics, summarise, write_summary
from fetal_seg.measurement.biometry import TRIMESTER_LIMITS_MM
from tests.rows import ROWS, found


def strict(text):
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_summary_agrees_with_numpy():
    summary = summarise(ROWS)
    assert (summary["n"], summary["missed"]) == (5, 1)
    dice = np.array([0.97, 0.95, 0.96, 0.93, 0.0])  # the missed head counts as 0
    df = np.array([0.5, -1.5, 1.0, 2.5])  # and has no error of circumference
    for measure, values in (("dice", dice), ("iou", dice / (2 - dice)), ("df_mm", df), ("adf_mm", np.abs(df))):
        described = summary[measure]
        assert list(described) == ["mean", "sd", "median", "ci95"]
        assert described["mean"] == pytest.approx(values.mean())
        assert described["sd"] == pytest.approx(values.std(ddof=1))
        assert described["median"] == pytest.approx(np.median(values))
        assert described["ci95"][0] <= described["mean"] <= described["ci95"][1]
    assert summary["hd_mm"]["mean"] == pytest.approx(np.mean([row["hd_mm"] for row in ROWS[:4]]))
    assert summary["hc_true_mm"]["mean"] == pytest.approx(180.2)  # known of the missed head too


def test_images_without_a_head_stand_beside_the_statistics():
    counts = {"images": 3, "ok": 1, "check": 0, "no_head": 2, "error": 0}
    assert summarise(ROWS, counts) == summarise(ROWS) | {"without_head": counts}
    assert summarise(ROWS)["without_head"] is None


def test_the_summary_has_every_measure_overall_and_by_trimester():
    summary = summarise(ROWS)
    numeric = [metric.column for metric in METRICS]
    assert list(summary) == ["n", "missed", *numeric, "interval", "by_trimester", "trimester_limits_mm", "without_head"]
    assert summary["trimester_limits_mm"] == list(TRIMESTER_LIMITS_MM)
    parts = summary["by_trimester"]
    assert {name: (part["n"], part["missed"]) for name, part in parts.items()} == {
        "1": (1, 0),
        "2": (3, 0),
        "3": (1, 1),
    }
    assert all(list(part) == ["n", "missed", *numeric, "interval"] for part in parts.values())
    assert parts["2"]["df_mm"]["mean"] == pytest.approx(np.mean([-1.5, 1.0, 2.5]))
    assert parts["3"]["dice"]["mean"] == 0
    assert parts["3"]["adf_mm"] == {"mean": None, "sd": None, "median": None, "ci95": [None, None]}


def test_sister_images_are_no_independent_cases():
    alike = [found(f"{i}.png", str(i // 8), 180.0, 1.0 + i // 8, 0.95) for i in range(32)]
    apart = [row | {"examination": str(i)} for i, row in enumerate(alike)]
    widths = [np.ptp(summarise(rows)["df_mm"]["ci95"]) for rows in (alike, apart)]
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS[4:], ROWS], ids=["none", "one", "one missed", "all"])
def test_the_summary_is_strict_json(rows, tmp_path):
    summary = summarise(rows)
    write_summary(tmp_path / "summary.json", summary)
    assert strict((tmp_path / "summary.json").read_text()) == summary


def test_a_number_that_json_lacks_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_summary(tmp_path / "summary.json", {"n": math.nan})
    assert list(tmp_path.iterdir()) == []


def test_without_pixel_sizes_there_are_overlaps_and_no_trimesters():
    known = {"dice", "iou", "ellipse_dice", "file", "examination"}
    rows = [{name: value for name, value in row.items() if name in known} for row in ROWS]
    summary = summarise(rows)
    assert summary["dice"]["mean"] == pytest.approx(0.762)
    assert summary["missed"] == 1
    assert summary["hd_mm"]["mean"] is None
    assert [part["n"] for part in summary["by_trimester"].values()] == [0, 0, 0]


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_an_overlap_that_is_not_known_cannot_drop_out_of_the_mean(unknown):
    summary = summarise([ROWS[0], ROWS[1] | {"dice": unknown}])
    assert summary["dice"]["mean"] == pytest.approx(0.97 / 2)


def test_the_coverage_of_intervals_is_told_overall_and_by_trimester():
    ends = {"hc_low_mm": 100.0, "hc_high_mm": 110.0}
    rows = [row | ends | {"covered": index != 1} for index, row in enumerate(ROWS[:4])]
    summary = summarise([*rows, ROWS[4]])
    assert summary["interval"]["images"] == 4
    assert summary["interval"]["coverage"] == 0.75
    assert summary["interval"]["mean_width_mm"] == 10
    low, high = summary["interval"]["ci95"]
    assert low <= 0.75 <= high
    parts = summary["by_trimester"]
    assert parts["1"]["interval"]["coverage"] == 1
    assert parts["3"]["interval"] is None
    assert summarise(ROWS)["interval"] is None


def test_the_final_metrics_of_a_run_are_the_known_means():
    summary = summarise(ROWS)
    assert list(final_metrics(summary)) == ["dice", "ellipse_dice", "ellipse_hd_mm", "df_mm", "adf_mm"]
    assert final_metrics(summary)["dice"] == summary["dice"]["mean"]
    assert final_metrics(summarise([])) == {}
