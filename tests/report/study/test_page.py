import re

import pytest

from fetal_seg.commands.report import conclude_search
from fetal_seg.evaluation.trade_offs import TradeOff
from tests.report.study.shown_report import Page, report
from tests.run_folders import scores, write_run, write_sweep


def test_the_page_ranks_compares_and_names_what_failed(sweep):
    page, _ = report(sweep)
    assert "Highest in Dice is unet, depth 4: ellipse Dice 97.00 [" in page.text
    assert "Of the others, all 3 are shown to be worse in Dice." in page.text
    assert "The best encoder_decoder beside it: unet, depth 4 is better than encoder_decoder, depth 4 by" in page.text
    assert "Measured on 24 images of 12 examinations (data ffffffffffff)" in page.text
    assert "6 runs: 4 finished, 1 failed, 1 not started." in page.text
    assert "model: 2 complete blocks of all levels." in page.text
    assert "ValueError: <script>alert(1)</script> & more" in page.text  # as text
    assert "<script>alert" not in page.source
    assert "python train.py -m model=a,b" in page.text
    assert "c0ffee" in page.text
    headings = re.findall(r"<h2 id=\"(\w+)\"", page.source)
    assert headings == ["ranking", "effects", "curves", "comparison", "disagreement", "without", "again"]


def test_the_page_needs_nothing_else_and_can_be_read_aloud(sweep):
    page, _ = report(sweep)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.source)
    assert all(image["src"].startswith("data:image/") and image["alt"] for image in page.named("img"))
    assert len(page.named("img")) == 4
    assert not page.named("link")
    assert page.named("html") == [{"lang": "en"}]
    assert all("scope" in cell for cell in page.named("th"))
    assert len(page.named("caption")) == len(page.named("table"))
    assert {path.name for path in (sweep / "figures").iterdir()} == {
        "effects_ellipse_dice.png", "effects_adf_mm.png", "learning_loss.png", "learning_dice.png",
    }  # fmt: skip


@pytest.mark.parametrize("status", ["failed", "running"])
def test_a_report_is_written_even_if_no_run_has_a_result(status, tmp_path):
    folder = write_sweep(tmp_path / "sweep", [["model=unet"]])
    write_run(folder / "0", ["model=unet"], status=status, cause="no memory" if status == "failed" else None)
    page, rows = report(folder)
    assert "No run has been measured, so there is nothing to compare." in page.text
    assert ("no memory" if status == "failed" else "cut off") in page.text
    assert len(rows) == 1


def test_the_trials_of_a_search_with_two_objectives_have_a_front(tmp_path):
    write_run(tmp_path / "search" / "0", ["model.depth=2"], scores(0.95))
    trials = [TradeOff("0", "model.depth=2", 0.9, 1.0), TradeOff("1", "model.depth=4", 0.8, 2.0)]
    trials += [TradeOff("2", "model.depth=3", 0.95, 3.0)]
    conclude_search(tmp_path / "search", ["search.py"], trials)
    text = Page(tmp_path / "search" / "report.html").text
    assert "Trials: Dice against time" in text
    front = text.partition("Trials on the Pareto front")[2]
    assert "model.depth=3" in front
    assert "model.depth=2" in front
    assert "model.depth=4" not in front
    assert (tmp_path / "search" / "figures" / "trials.png").is_file()


def test_one_run_is_shown_without_comparison(tmp_path):
    page, rows = report(write_run(tmp_path / "run", ["model=unet"], scores(0.95)), tmp_path / "out")
    assert "One contender was measured, run: ellipse Dice 95.00 [" in page.text
    assert "against each other" not in page.text
    assert len(rows) == 1


def test_a_run_without_evaluation_is_named_and_not_ranked(tmp_path):
    write_run(tmp_path / "in" / "a", ["model=unet"], scores(0.95))
    write_run(tmp_path / "in" / "b", ["model=encoder_decoder"])
    page, rows = report(tmp_path / "in", tmp_path / "out")
    assert "Finished without an evaluation: b." in page.text
    assert "One contender was measured" in page.text
    assert rows[1]["val/dice"] == "0.8"


def test_without_checkpoints_the_page_says_why_there_are_no_pictures(sweep):
    page, _ = report(sweep)
    assert "The images cannot be drawn: ckpt=" in page.text


def test_what_diverged_is_left_out_of_the_main_effects_by_name(sweep):
    write_run(sweep / "5", ["model=unet", "++model.depth=8"], scores(0.9, missed=range(20)))
    page, _ = report(sweep)
    assert "since they found no head in at least half of the images: unet, depth 8." in page.text


def test_runs_equal_but_for_the_seed_are_one_contender(tmp_path):
    for seed in range(3):
        rows = scores(0.94 + 0.01 * seed, seed=seed)
        write_run(tmp_path / "in" / f"a{seed}", ["model=unet", f"seed={seed}"], rows)
        write_run(tmp_path / "in" / f"b{seed}", [f"seed={seed}"], scores(0.90, seed=10 + seed))
    page, rows = report(tmp_path / "in", tmp_path / "out")
    assert "Highest in Dice is unet: ellipse Dice 95.00 [" in page.text
    assert "unet is better than encoder_decoder by 5.00 points of Dice" in page.text
    assert "Runs equal but for the seed or the fold are one row" in page.text
    assert [float(row["ellipse_dice"]) for row in rows[:3]] == pytest.approx([0.94, 0.95, 0.96])


def test_folds_of_one_contender_are_measured_on_all_their_images_together(tmp_path):
    for fold in range(2):
        for model, mean in (("unet", 0.95), ("encoder_decoder", 0.9)):
            rows = scores(mean, seed=fold, offset=100 * fold)
            write_run(tmp_path / "in" / f"{model}{fold}", [f"model={model}", f"++data.fold={fold}"], rows)
    page, _ = report(tmp_path / "in", tmp_path / "out")
    assert "Measured on 48 images of 24 examinations" in page.text


def test_runs_on_different_images_are_compared_on_the_common_ones(tmp_path):
    write_run(tmp_path / "in" / "a", ["model=unet"], scores(0.95))
    write_run(tmp_path / "in" / "b", [], scores(0.9, offset=10))
    page, rows = report(tmp_path / "in", tmp_path / "out")
    assert "Measured on 14 images of 7 examinations" in page.text
    assert "The runs were measured on different images, 34 in all" in page.text
    assert float(rows[0]["ellipse_dice"]) == pytest.approx(0.95)  # the summary is of all its own images


def test_runs_without_a_common_image_are_not_called_better(tmp_path):
    write_run(tmp_path / "in" / "a", ["model=unet"], scores(0.95))
    write_run(tmp_path / "in" / "b", [], scores(0.9, offset=100))
    page, _ = report(tmp_path / "in", tmp_path / "out")
    assert "measured on different images and cannot be ranked fairly" in page.text
    assert "better than" not in page.text
    assert "cannot be compared: no image was measured by both" in page.text
