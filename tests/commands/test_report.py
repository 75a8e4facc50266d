import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from fetal_seg.commands.report import conclude_search, report_runs
from fetal_seg.evaluation.costs import measure_costs
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.geometry.ellipse import Ellipse
from tests.run_folders import scores, write_checkpoint, write_run, write_sweep

HEAD = Ellipse(40, 30, 25, 18, 0.3)


class Page(HTMLParser):
    """What a page shows: its text, and the tags with their attributes."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.words, self.tags, self._hidden = [], [], False
        self.feed(self.source)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "script")

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def report(folder, output=None):
    output = output or folder
    report_runs(output, read_runs([folder]), title="A sweep", again=["python train.py -m model=a,b"])
    with (output / "summary.csv").open(newline="") as file:
        return Page(output / "report.html"), list(csv.DictReader(file))


@pytest.fixture
def sweep(tmp_path):
    """Two models at two depths; the U-Net is better. One job failed, one was not started."""
    jobs = [[f"model={model}", f"++model.depth={depth}"] for model in ("encoder_decoder", "unet") for depth in (3, 4)]
    jobs += [["model=unet", "++model.depth=9"], ["model=unet", "++model.depth=8"]]
    folder = write_sweep(tmp_path / "sweep", jobs)
    for number, mean in enumerate((0.94, 0.95, 0.96, 0.97)):
        write_run(folder / str(number), jobs[number], scores(mean, seed=number, spread=0.005))
    write_run(folder / "4", jobs[4], cause="ValueError: <script>alert(1)</script> & more")
    return folder


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


def test_the_effects_are_the_means_of_the_levels(sweep):
    report(sweep)
    with (sweep / "effects.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["measure"].startswith("ellipse Dice")]
    means = {(row["factor"], row["level"]): float(row["mean"]) for row in rows}
    expected = {("model", "encoder_decoder"): 94.5, ("model", "unet"): 96.5}
    assert means == pytest.approx(expected | {("model.depth", "3"): 95.0, ("model.depth", "4"): 96.0}, abs=1e-3)
    assert all(float(row["low"]) < float(row["mean"]) < float(row["high"]) and row["blocks"] == "2" for row in rows)


@pytest.mark.parametrize("status", ["failed", "running"])
def test_a_report_is_written_even_if_no_run_has_a_result(status, tmp_path):
    folder = write_sweep(tmp_path / "sweep", [["model=unet"]])
    write_run(folder / "0", ["model=unet"], status=status, cause="no memory" if status == "failed" else None)
    page, rows = report(folder)
    assert "No run has been measured, so there is nothing to compare." in page.text
    assert ("no memory" if status == "failed" else "cut off") in page.text
    assert len(rows) == 1


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


def test_a_run_that_diverged_and_found_no_head_is_ranked_last(sweep):
    nothing = scores(0.9, missed=range(24))
    write_run(sweep / "5", ["model=unet", "++model.depth=8"], nothing, losses=(0.9, "nan", "nan"))
    page, rows = report(sweep)
    assert (rows[5]["ellipse_dice"], rows[5]["adf_mm"], rows[5]["df_mm"], rows[5]["missed"]) == ("0", "", "", "24")
    assert "Of the others, all 4 are shown to be worse in Dice." in page.text
    assert "nan" not in page.text


def test_without_checkpoints_the_page_says_why_there_are_no_pictures(sweep):
    page, _ = report(sweep)
    assert "The images cannot be drawn: ckpt=" in page.text


@pytest.fixture
def pictured(tmp_path):
    """Two runs with untrained networks, and the images they were measured on."""
    data = tmp_path / "data"
    for name in ("images", "masks"):
        (data / name).mkdir(parents=True)
    grey = np.random.default_rng(0).integers(0, 255, (60, 80), np.uint8)
    for index in range(24):
        Image.fromarray(grey).save(data / "images" / f"{index:03d}_HC.png")
        Image.fromarray(HEAD.rasterise(60, 80) * np.uint8(255)).save(data / "masks" / f"{index:03d}_HC.png")
    for number, depth in enumerate((2, 3, 2)):
        overrides = [f"++model.depth={depth}", f"++optim.lr_factor={number}"]
        run = write_run(tmp_path / "in" / str(number), overrides, scores(0.95 - number / 100, seed=number))
        write_checkpoint(run, {"name": "folder", "root": str(data), "cache_dir": str(tmp_path)}, depth)
    return tmp_path / "in"


def test_costs_are_measured_and_the_most_disputed_images_drawn(pictured, tmp_path):
    page, rows = report(pictured, tmp_path / "out")
    assert rows[0]["parameters"] == rows[2]["parameters"] != rows[1]["parameters"]
    assert float(rows[0]["ms_per_image"]) > 0
    assert (tmp_path / "out" / "figures" / "cost_parameters.png").is_file()
    pictures = [image for image in page.named("img") if image["src"].startswith("data:image/jpeg")]
    assert len(pictures) == 18  # six images, as the best, the median and the worst see them
    assert "prediction" in page.text
    per_image = np.array([[row["ellipse_dice"] for row in scores(0.95 - n / 100, seed=n)] for n in range(3)])
    most = f"{per_image.std(axis=0).argmax():03d}_HC.png SD of Dice {100 * per_image.std(axis=0).max():.1f} points"
    assert most in page.text


def test_data_that_are_gone_are_told_in_a_sentence(pictured, tmp_path):
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    page, _ = report(pictured, tmp_path / "out")
    assert "The images cannot be drawn: " in page.text
    assert str(tmp_path / "data") in page.text


def test_a_checkpoint_that_cannot_be_read_has_no_cost(pictured):
    broken, whole = (pictured / name / "checkpoints" / "best.ckpt" for name in "01")
    broken.write_bytes(b"nothing")
    assert set(measure_costs([broken, whole]).by_checkpoint) == {whole}


def test_failure_files_of_any_content_do_not_stop_the_report(sweep):
    (sweep / "4" / "failure.json").write_text(json.dumps({"traceback": "x"}))
    _, rows = report(sweep)
    assert (rows[4]["status"], rows[4]["cause"]) == ("failed", "")


def test_what_diverged_is_left_out_of_the_main_effects_by_name(sweep):
    write_run(sweep / "5", ["model=unet", "++model.depth=8"], scores(0.9, missed=range(20)))
    page, _ = report(sweep)
    assert "since they found no head in at least half of the images: unet, depth 8." in page.text


def test_a_search_says_how_to_run_it_again(tmp_path):
    write_run(tmp_path / "search" / "0", ["model=unet"], scores(0.95))
    conclude_search(tmp_path / "search", ["/somewhere/search.py", "experiment=ablation", "search.space={depth: [3]}"])
    page = Page(tmp_path / "search" / "report.html")
    assert "python search.py experiment=ablation 'search.space={depth: [3]}'" in page.text
