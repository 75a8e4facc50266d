import csv
import math

import numpy as np
import pytest

from fetal_seg.errors import InputError
from fetal_seg.evaluation import tables
from fetal_seg.evaluation.metrics import METRICS
from tests.rows import ROWS, found, missed

PER_IMAGE = (
    "file,examination,dice,iou,hd_mm,hd95_mm,assd_mm,nsd_1mm,ellipse_dice,ellipse_hd_mm,"
    "hc_true_mm,hc_pred_mm,df_mm,adf_mm,trimester,missed,"
    "confidence,hc_low_mm,hc_high_mm,covered,flag,reasons,head_probability"
)
PREDICTIONS = (
    "file,center_x_px,center_y_px,semi_axis_a_px,semi_axis_b_px,angle_rad,pixel_size_mm,hc_mm,flag,reasons,"
    "frame,width_px,height_px,pixel_size_y_mm,pixel_size_source,hc_px,hc_low_mm,hc_high_mm,bpd_mm,ofd_mm,area_mm2,"
    "cephalic_index,ga_intergrowth_weeks,ga_hadlock_weeks,gestational_age_weeks,hc_z,hc_centile,confidence,mask,overlay,"
    "head_probability"
)


def test_the_columns_are_those_that_others_read(tmp_path):
    tables.write_per_image(tmp_path / "per_image.csv", ROWS)
    tables.write_rows(tmp_path / "predictions.csv", tables.PREDICTION_COLUMNS, [])
    assert (tmp_path / "per_image.csv").read_text().splitlines()[0] == PER_IMAGE
    assert (tmp_path / "predictions.csv").read_text() == PREDICTIONS + "\n"


def test_what_was_written_is_read_back(tmp_path):
    tables.write_per_image(tmp_path / "per_image.csv", ROWS)
    read = tables.read_per_image(tmp_path / "per_image.csv")
    assert [row["trimester"] for row in read] == [1, 2, 2, 2, 3]
    assert [row["missed"] for row in read] == [False] * 4 + [True]
    for row, back in zip(ROWS, read, strict=True):
        assert (back["file"], back["examination"]) == (row["file"], row["examination"])
        for metric in METRICS:
            value = row.get(metric.column)
            assert back[metric.column] == (None if value is None else pytest.approx(value, rel=1e-5))
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
    tables.write_rows(tmp_path / "predictions.csv", tables.PREDICTION_COLUMNS, [head, none])
    with (tmp_path / "predictions.csv").open(newline="") as file:
        header, first, second = csv.reader(file)
    assert ",".join(header) == PREDICTIONS
    assert first[:10] == ["a, b.png", "400.25", "270.5", "200", "150", "-0.25", "0.1", "110.538", "ok", ""]
    assert second[:10] == ["c.png", "", "", "", "", "", "0.2", "", "no head", "dark; small"]


def test_a_prediction_beside_the_head_is_no_missed_head():
    beside = found("a.png", "1", 180.0, 2.0, 0.0) | {"ellipse_dice": 0.0}
    assert not tables.is_missed(beside)
    assert tables.is_missed(missed("a.png", "1", 180.0))
    assert tables.is_missed(beside | {"missed": True})


def test_text_that_a_spreadsheet_takes_for_a_formula_is_made_harmless_and_read_back(tmp_path):
    names = ["=1+1.png", "+a.png", "-a.png", "@a.png", "a=1.png"]
    tables.write_per_image(tmp_path / "per_image.csv", [{**ROWS[0], "file": name} for name in names])
    with (tmp_path / "per_image.csv").open(newline="") as file:
        written = [row["file"] for row in csv.DictReader(file)]
    assert written == ["'=1+1.png", "'+a.png", "'-a.png", "'@a.png", "a=1.png"]
    assert [row["file"] for row in tables.read_per_image(tmp_path / "per_image.csv")] == names


@pytest.mark.parametrize("summary", ['{"n": 3}', '{"n": 1}', "{}", '{"n": null}', "{", "[]"])
def test_a_table_that_was_cut_between_two_rows_is_known_by_its_summary(tmp_path, summary):
    table = tmp_path / "per_image.csv"
    tables.write_per_image(table, [{"file": "a.png", "examination": "a"}, {"file": "b.png", "examination": "b"}])
    (tmp_path / "summary.json").write_text('{"n": 2}')
    assert len(tables.read_per_image(table)) == 2
    (tmp_path / "summary.json").write_text(summary)
    with pytest.raises(InputError, match=r"per_image.csv is damaged .*summary.json"):
        tables.read_per_image(table)
