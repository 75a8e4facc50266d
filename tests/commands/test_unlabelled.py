"""Images without a mask by the commands: refused, left out, or images without a head."""

import json

import numpy as np
import pytest

from fetal_seg.commands.planes import gate_images
from fetal_seg.data.sources.folder import load as load_folder
from fetal_seg.data.sources.hc18 import load
from fetal_seg.images.grey import write_image
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, run_command, table

BARE = 6


@pytest.fixture(scope="module")
def own(phantoms, cache_dir, tmp_path_factory):
    """Twelve heads with masks, of one the pixel size unknown, and six without: three dark images, three are heads."""
    folder = tmp_path_factory.mktemp("own")
    rows = ["filename,pixel size(mm)"]
    records = load(phantoms, cache_dir, download=False)
    for number, record in enumerate(records):
        image, ellipse = record.read_pair()
        write_image(folder / "images" / f"head{number:02d}.png", image)
        write_image(folder / "masks" / f"head{number:02d}.png", 255 * ellipse.rasterise(*image.shape))
        rows.append(f"head{number:02d}.png,{record.pixel_size_mm if number else ''}")
    for number in range(BARE):
        image = np.full((540, 800), 9 + number, np.uint8) if number % 2 else records[number].read_image()[:, ::-1]
        write_image(folder / "images" / f"bare{number}.png", image)
        rows.append(f"bare{number}.png,0.2")
    (folder / "pixel_sizes.csv").write_text("\n".join(rows) + "\n")
    return folder


def train(own, cache_dir, folder, *keys):
    places = [f"data.root={own}", f"data.cache_dir={cache_dir}", f"hydra.run.dir={folder}/run"]
    return run_command("train.py", "data=folder", *QUICK[3:], *places, *keys, cwd=folder)


def evaluate(own, cache_dir, folder, *keys):
    places = [f"data.root={own}", f"data.cache_dir={cache_dir}", f"output={folder}/out"]
    return run_command("evaluate.py", "data=folder", *places, *keys, cwd=folder)


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


def test_a_training_refuses_them_and_says_what_to_do(own, cache_dir, tmp_path):
    done = train(own, cache_dir, tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    told = " ".join(done.stderr.split())
    assert "bare0.png, bare1.png, bare2.png, bare3.png, bare4.png and 1 more has no mask" in told
    assert "add it, or with data=folder take data.unlabelled=skip, which" in told
    assert "data.unlabelled=no_head" in told


def test_a_training_leaves_them_out(own, cache_dir, tmp_path):
    done = train(own, cache_dir, tmp_path, "data.unlabelled=skip", "trainer.max_epochs=1")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "6 of 18 images have no mask: they are left out (data.unlabelled=skip): bare0.png, bare1.png" in told
    split = json.loads((tmp_path / "run/split.json").read_text())
    assert not any("bare" in name for name in (*split["train"], *split["val"]))
    assert summary_of(tmp_path / "run/evaluation")["without_head"] is None
    assert not (tmp_path / "run/evaluation/without_head.csv").exists()


class TestNoHead:
    @pytest.fixture(scope="class")
    def run(self, own, cache_dir, tmp_path_factory):
        """A run that was trained on heads and on images without one."""
        folder = tmp_path_factory.mktemp("no_head")
        done = train(own, cache_dir, folder, "data.unlabelled=no_head", "data.val_fraction=0.34")
        assert done.returncode == 0, done.stderr
        return folder / "run"

    def test_both_parts_have_some(self, run):
        split = json.loads((run / "split.json").read_text())
        assert sum("bare" in name for name in split["train"]) == 4
        assert sum("bare" in name for name in split["val"]) == 2

    def test_its_evaluation_counts_what_is_measured_of_them(self, run):
        split, rows = json.loads((run / "split.json").read_text()), table(run / "evaluation/without_head.csv")
        counts = summary_of(run / "evaluation")["without_head"]
        assert {row["file"] for row in rows} == {name for name in split["val"] if "bare" in name}
        assert counts["images"] == len(rows) == sum(counts.values()) - counts["images"]
        assert counts["ok"] == sum(row["flag"] == "ok" for row in rows)
        assert "without a head: 2 images, " in (run / "train.log").read_text()

    def test_its_figures_and_its_calibration_are_of_heads(self, run):
        split, rows = json.loads((run / "split.json").read_text()), table(run / "evaluation/per_image.csv")
        heads = [name for name in split["val"] if "head" in name]
        assert [row["file"] for row in rows] == heads
        assert summary_of(run / "evaluation")["n"] == len(heads)
        assert len(read_checkpoint(run / "checkpoints/best.ckpt").description.calibration.images) == len(heads)

    def test_a_checkpoint_knows_what_its_data_were(self, run, tmp_path):
        done = run_command("evaluate.py", f"ckpt={run}/checkpoints/best.ckpt", f"output={tmp_path}/out", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        again, first = summary_of(tmp_path / "out"), summary_of(run / "evaluation")
        assert again["n"] == first["n"]
        assert again["without_head"]["images"] == first["without_head"]["images"] == 2


def test_means_over_heads_are_the_same_with_and_without_them(own, good, cache_dir, tmp_path):
    without, beside = tmp_path / "without", tmp_path / "beside"
    for folder, choice in ((without, "skip"), (beside, "no_head")):
        folder.mkdir()
        done = evaluate(own, cache_dir, folder, f"ckpt={good}", f"data.unlabelled={choice}")
        assert done.returncode == 0, done.stderr
    assert (beside / "out/per_image.csv").read_bytes() == (without / "out/per_image.csv").read_bytes()
    summary = summary_of(beside / "out")
    assert summary | {"without_head": None} == summary_of(without / "out")
    counts = summary["without_head"]
    assert counts["images"] == BARE
    assert counts["no_head"] >= 3, "dark images hold nothing"
    assert counts["ok"] + counts["check"] >= 1, "heads that are said to be none are measured"
    told = f"without a head: 6 images, {counts['no_head']} no head, {counts['check']} to be checked, {counts['ok']} ok"
    assert told in " ".join(done.stdout.split())


def test_comparisons_are_of_heads(own, good, trained, cache_dir, tmp_path):
    checkpoints = f"ckpt=[{good},{trained}/checkpoints/best.ckpt]"
    done = evaluate(own, cache_dir, tmp_path, checkpoints, "data.unlabelled=no_head")
    assert done.returncode == 0, done.stderr
    dice, *_ = table(tmp_path / "out/comparison.csv")
    assert dice["images"] == "12"
    assert len(table(tmp_path / "out/2/without_head.csv")) == BARE


def test_images_without_a_head_alone_are_counted_and_not_compared(own, good, trained, cache_dir, tmp_path):
    keys = ["data.unlabelled=no_head", "data.limit=4"]  # the first by name
    done = evaluate(own, cache_dir, tmp_path, f"ckpt={good}", *keys)
    assert done.returncode == 0, done.stderr
    summary = summary_of(tmp_path / "out")
    assert (summary["n"], summary["dice"]["mean"], summary["without_head"]["images"]) == (0, None, 4)
    done = evaluate(own, cache_dir, tmp_path, f"ckpt=[{good},{trained}/checkpoints/best.ckpt]", *keys)
    assert done.returncode == 2
    assert "none of these images shows a head" in done.stderr


def test_a_gate_learns_heads_of_records_that_show_one(own):
    records = load_folder(own, "no_head")
    assert {image.group[:4] for image in gate_images([], records, records)} == {"head"}
