import csv
import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from fetal_seg.evaluation import tables
from fetal_seg.measurement.biometry import TRIMESTER_LIMITS_MM

PER_IMAGE = (
    "file,examination,dice,iou,hd_mm,hd95_mm,assd_mm,ellipse_dice,ellipse_hd_mm,"
    "hc_true_mm,hc_pred_mm,df_mm,adf_mm,trimester,missed,"
    "confidence,hc_low_mm,hc_high_mm,covered,flag,reasons"
)
PREDICTIONS = (
    "file,center_x_px,center_y_px,semi_axis_a_px,semi_axis_b_px,angle_rad,pixel_size_mm,hc_mm,flag,reasons,"
    "frame,width_px,height_px,pixel_size_y_mm,pixel_size_source,hc_px,hc_low_mm,hc_high_mm,bpd_mm,ofd_mm,area_mm2,"
    "cephalic_index,ga_intergrowth_weeks,ga_hadlock_weeks,gestational_age_weeks,hc_z,hc_centile,confidence,mask,overlay"
)


def found(file, examination, true_mm, difference, dice):
    distances = {
        "hd_mm": 3 - 2 * dice,
        "hd95_mm": 2.5 - 2 * dice,
        "assd_mm": 1.5 - dice,
        "ellipse_hd_mm": 2.9 - 2 * dice,
    }
    return {
        "file": file, "examination": examination, "dice": dice, "iou": dice / (2 - dice), "ellipse_dice": dice + 0.01,
        **distances, "hc_true_mm": true_mm, "hc_pred_mm": true_mm + difference,
        "df_mm": difference, "adf_mm": abs(difference),
    }  # fmt: skip


def missed(file, examination, true_mm):
    none = dict.fromkeys(("dice", "iou", "ellipse_dice"), 0.0)
    infinite = dict.fromkeys(("hd_mm", "hd95_mm", "assd_mm", "ellipse_hd_mm"), math.inf)
    return {"file": file, "examination": examination, **none, **infinite, "hc_true_mm": true_mm, "hc_pred_mm": None}


ROWS = [
    found("000_HC.png", "000", 70.0, 0.5, 0.97),
    found("001_HC.png", "001", 180.0, -1.5, 0.95),
    found("001_2HC.png", "001", 181.0, 1.0, 0.96),
    found("002_HC.png", "002", 170.0, 2.5, 0.93),
    missed("003_HC.png", "003", 300.0),
]


def strict(text):
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_columns_are_those_that_others_read(tmp_path):
    tables.write_per_image(tmp_path / "per_image.csv", ROWS)
    tables.write_predictions(tmp_path / "predictions.csv", [])
    assert (tmp_path / "per_image.csv").read_text().splitlines()[0] == PER_IMAGE
    assert (tmp_path / "predictions.csv").read_text() == PREDICTIONS + "\n"


def test_what_was_written_is_read_back(tmp_path):
    tables.write_per_image(tmp_path / "per_image.csv", ROWS)
    read = tables.read_per_image(tmp_path / "per_image.csv")
    assert [row["trimester"] for row in read] == [1, 2, 2, 2, 3]
    assert [row["missed"] for row in read] == [False] * 4 + [True]
    for row, back in zip(ROWS, read, strict=True):
        assert (back["file"], back["examination"]) == (row["file"], row["examination"])
        for measure in tables.MEASURES:
            value = row.get(measure)
            assert back[measure] == (None if value is None else pytest.approx(value, rel=1e-5))
    assert read[4]["hd_mm"] == math.inf
    tables.write_per_image(tmp_path / "again.csv", read)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "per_image.csv").read_bytes()


def test_unknown_values_are_empty_cells_and_infinite_ones_say_so(tmp_path):
    row = {"file": "a.png", "examination": "7", "dice": math.nan, "hd_mm": math.inf, "hc_true_mm": None}
    tables.write_per_image(tmp_path / "table.csv", [row])
    (cells,) = csv.DictReader((tmp_path / "table.csv").open())
    assert (cells["dice"], cells["hd_mm"], cells["hc_true_mm"], cells["trimester"]) == ("", "inf", "", "")


def test_a_key_that_is_no_column_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="surprise"):
        tables.write_per_image(tmp_path / "table.csv", [ROWS[0], ROWS[1] | {"surprise": 1}])
    assert list(tmp_path.iterdir()) == []


def test_predictions_leave_cells_empty_where_there_is_no_head(tmp_path):
    ellipse = {"center_x_px": 400.25, "center_y_px": 270.5, "semi_axis_a_px": 200.0, "semi_axis_b_px": 150.0}
    head = {"file": "a, b.png", **ellipse, "angle_rad": -0.25, "pixel_size_mm": 0.1, "hc_mm": 110.538, "flag": "ok"}
    none = {"file": "c.png", "pixel_size_mm": np.float64(0.2), "flag": "no head", "reasons": ["dark", "small"]}
    tables.write_predictions(tmp_path / "predictions.csv", [head, none])
    with (tmp_path / "predictions.csv").open(newline="") as file:
        header, first, second = csv.reader(file)
    assert ",".join(header) == PREDICTIONS
    assert first[:10] == ["a, b.png", "400.25", "270.5", "200", "150", "-0.25", "0.1", "110.538", "ok", ""]
    assert second[:10] == ["c.png", "", "", "", "", "", "0.2", "", "no head", "dark; small"]


def test_the_summary_agrees_with_numpy():
    summary = tables.summarise(ROWS)
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


def test_the_summary_has_every_measure_overall_and_by_trimester():
    summary = tables.summarise(ROWS)
    numeric = PER_IMAGE.split(",")[2:13]
    assert list(summary) == ["n", "missed", *numeric, "interval", "by_trimester", "trimester_limits_mm"]
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
    widths = [np.ptp(tables.summarise(rows)["df_mm"]["ci95"]) for rows in (alike, apart)]
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS[4:], ROWS], ids=["none", "one", "one missed", "all"])
def test_the_summary_is_strict_json(rows, tmp_path):
    summary = tables.summarise(rows)
    tables.write_summary(tmp_path / "summary.json", summary)
    assert strict((tmp_path / "summary.json").read_text()) == summary


def test_a_number_that_json_lacks_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        tables.write_summary(tmp_path / "summary.json", {"n": math.nan})
    assert list(tmp_path.iterdir()) == []


def test_without_pixel_sizes_there_are_overlaps_and_no_trimesters():
    known = {"dice", "iou", "ellipse_dice", "file", "examination"}
    rows = [{name: value for name, value in row.items() if name in known} for row in ROWS]
    summary = tables.summarise(rows)
    assert summary["dice"]["mean"] == pytest.approx(0.762)
    assert summary["missed"] == 1
    assert summary["hd_mm"]["mean"] is None
    assert [part["n"] for part in summary["by_trimester"].values()] == [0, 0, 0]


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_an_overlap_that_is_not_known_cannot_drop_out_of_the_mean(unknown):
    summary = tables.summarise([ROWS[0], ROWS[1] | {"dice": unknown}])
    assert summary["dice"]["mean"] == pytest.approx(0.97 / 2)


def test_a_prediction_beside_the_head_is_no_missed_head():
    beside = found("a.png", "1", 180.0, 2.0, 0.0) | {"ellipse_dice": 0.0}
    assert not tables.is_missed(beside)
    assert tables.is_missed(missed("a.png", "1", 180.0))
    assert tables.is_missed(beside | {"missed": True})


@pytest.mark.parametrize("rows", [[], ROWS], ids=["none", "all"])
def test_the_table_fits_a_terminal(rows):
    text = io.StringIO()
    Console(file=text, width=80).print(tables.summary_table(tables.summarise(rows)))
    shown = text.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    if rows:
        assert "5 images, 1 missed" in shown
        assert "76.20" in shown  # the mean Dice, %
        assert all(f"{limit:g}" in shown for limit in TRIMESTER_LIMITS_MM)


def test_the_coverage_of_intervals_is_told_overall_and_by_trimester():
    ends = {"hc_low_mm": 100.0, "hc_high_mm": 110.0}
    rows = [row | ends | {"covered": index != 1} for index, row in enumerate(ROWS[:4])]
    summary = tables.summarise([*rows, ROWS[4]])
    assert summary["interval"]["images"] == 4
    assert summary["interval"]["coverage"] == 0.75
    assert summary["interval"]["mean_width_mm"] == 10
    low, high = summary["interval"]["ci95"]
    assert low <= 0.75 <= high
    parts = summary["by_trimester"]
    assert parts["1"]["interval"]["coverage"] == 1
    assert parts["3"]["interval"] is None
    assert tables.summarise(ROWS)["interval"] is None
