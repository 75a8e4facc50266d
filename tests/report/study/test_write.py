import csv
import json

import pytest

from tests.report.study.shown_report import report
from tests.run_folders import scores, write_run


def test_the_summary_has_a_row_a_job(sweep):
    _, rows = report(sweep)
    assert list(rows[0]) == [
        "job", "model", "model.depth", "status", "epochs", "minutes", "parameters", "val/dice",
        "ellipse_dice", "ellipse_dice_low", "ellipse_dice_high", "adf_mm", "adf_mm_low", "adf_mm_high",
        "ellipse_hd_mm", "ellipse_hd_mm_low", "ellipse_hd_mm_high", "df_mm", "missed", "ms_per_image", "cause",
    ]  # fmt: skip
    assert [row["status"] for row in rows] == ["finished"] * 4 + ["failed", "not started"]
    third = rows[2]
    assert (third["job"], third["model"], third["model.depth"]) == ("2", "unet", "3")
    assert (third["epochs"], third["minutes"], third["val/dice"], third["missed"]) == ("3", "1.5", "0.8", "0")
    assert float(third["ellipse_dice"]) == pytest.approx(0.96)
    assert float(third["adf_mm"]) == pytest.approx(4) == float(third["df_mm"])
    assert float(third["ellipse_dice_low"]) < 0.96 < float(third["ellipse_dice_high"])
    assert rows[4]["cause"] == "ValueError: <script>alert(1)</script> & more"
    assert rows[5]["ellipse_dice"] == rows[5]["epochs"] == ""


def test_what_a_kill_left_of_a_figure_is_removed(sweep):
    left = sweep / "figures" / ".learning_loss-0123abcd.png"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    report(sweep)
    assert not left.exists()


def test_the_effects_are_the_means_of_the_levels(sweep):
    report(sweep)
    with (sweep / "effects.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["measure"].startswith("ellipse Dice")]
    means = {(row["factor"], row["level"]): float(row["mean"]) for row in rows}
    expected = {("model", "encoder_decoder"): 94.5, ("model", "unet"): 96.5}
    assert means == pytest.approx(expected | {("model.depth", "3"): 95.0, ("model.depth", "4"): 96.0}, abs=1e-3)
    assert all(float(row["low"]) < float(row["mean"]) < float(row["high"]) and row["blocks"] == "2" for row in rows)


def test_a_run_that_diverged_and_found_no_head_is_ranked_last(sweep):
    nothing = scores(0.9, missed=range(24))
    write_run(sweep / "5", ["model=unet", "++model.depth=8"], nothing, losses=(0.9, "nan", "nan"))
    page, rows = report(sweep)
    assert (rows[5]["ellipse_dice"], rows[5]["adf_mm"], rows[5]["df_mm"], rows[5]["missed"]) == ("0", "", "", "24")
    assert "Of the others, all 4 are shown to be worse in Dice." in page.text
    assert "nan" not in page.text


def test_failure_files_of_any_content_do_not_stop_the_report(sweep):
    (sweep / "4" / "failure.json").write_text(json.dumps({"traceback": "x"}))
    _, rows = report(sweep)
    assert (rows[4]["status"], rows[4]["cause"]) == ("failed", "")
