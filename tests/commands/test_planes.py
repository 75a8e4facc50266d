"""Other planes by the commands: a checkpoint that is shown them tells them from heads, and predictions say so."""

import json
import shutil

import cv2
import numpy as np
import pytest

from fetal_seg.data.sources.hc18 import load
from fetal_seg.images.grey import read_grey, write_image
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, run_command, table


def checkered(rng):
    """A round thing that a network of phantoms takes for a head: bright, and filled with squares."""
    speckle = rng.rayleigh(0.3, (108, 160))
    squares = 120.0 * (np.add.outer(np.arange(108) // 6, np.arange(160) // 6) % 2)
    axes = (int(rng.uniform(30, 40)), int(rng.uniform(26, 30)))
    disc = cv2.ellipse(np.zeros((108, 160)), (80, 54), axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
    return np.clip(30 * speckle + disc * (60 + squares * speckle), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def planes(tmp_path_factory, phantoms, cache_dir):
    """Thirty-two round things, and eight heads."""
    folder, rng = tmp_path_factory.mktemp("planes"), np.random.default_rng(0)
    rows = ["filename,plane,patient"]
    for number in range(32):
        write_image(folder / f"t{number:02d}.png", checkered(rng))
        rows.append(f"t{number:02d}.png,thing,{number // 2}")
    for number, record in enumerate(load(phantoms, cache_dir, download=False)[:8]):
        write_image(folder / f"h{number}.png", read_grey(record.image))
        rows.append(f"h{number}.png,Brain,p{number}")
    (folder / "planes.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def taught(good, planes, cache_dir, tmp_path_factory):
    """A folder with a checkpoint that was shown other planes, and its evaluation."""
    folder = tmp_path_factory.mktemp("taught")
    shutil.copy(good, folder / "taught.ckpt")
    done = run_command(
        *("evaluate.py", f"ckpt={folder}/taught.ckpt", "calibrate=true", f"data.negatives={planes}"),
        *(f"data.cache_dir={cache_dir}", f"output={folder}/out"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_a_checkpoint_learns_other_planes(taught):
    folder, told = taught
    gate = read_checkpoint(folder / "taught.ckpt").description.calibration.gate
    assert (gate.others, len(gate.images)) == (32, 40)
    assert "thing: 32 images" in told
    assert "40 of these images taught the checkpoint" in told
    rows = table(folder / "out" / "planes.csv")
    assert [row["taught"] for row in rows] == ["1"] * 40
    measured = [row for row in rows if row["plane"] == "thing" and row["flag"] == "ok"]
    assert len(measured) <= 2
    heads = [row for row in rows if row["plane"] == "brain"]
    assert sum(row["flag"] != "no head" for row in heads) >= 7


def test_held_out_heads_keep_their_measurements(taught):
    folder, _ = taught
    rows = table(folder / "out" / "per_image.csv")
    assert sum(row["missed"] == "1" for row in rows) <= 1
    assert all(0 <= float(row["head_probability"]) <= 1 for row in rows if row["missed"] == "0")


def test_predictions_say_how_sure_it_is_that_they_are_heads(taught, planes, tmp_path):
    folder, _ = taught
    new = tmp_path / "new"
    new.mkdir()
    for number in range(6):
        write_image(new / f"t{number}.png", checkered(np.random.default_rng(100 + number)))
    shutil.copy(planes / "h0.png", new / "h0.png")
    out = tmp_path / "out"
    done = run_command("predict.py", f"ckpt={folder}/taught.ckpt", f"input={new}", f"output={out}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {row["file"]: row for row in table(out / "predictions.csv")}
    assert float(rows["h0.png"]["head_probability"]) > 0.5
    things = [row for name, row in rows.items() if name != "h0.png"]
    assert all(row["flag"] in ("no head", "check") for row in things)
    assert any("head probability" in row["reasons"] for row in things)
    first = json.loads((out / "predictions.jsonl").read_text().splitlines()[0])
    assert 0 <= first["head_probability"] <= 1
    assert "head, %" in (out / "report.html").read_text()


def test_calibrating_again_keeps_what_was_learnt(taught, cache_dir, tmp_path):
    folder, _ = taught
    shutil.copy(folder / "taught.ckpt", tmp_path / "again.ckpt")
    done = run_command(
        *("evaluate.py", f"ckpt={tmp_path}/again.ckpt", "calibrate=true", f"data.cache_dir={cache_dir}"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    before, after = (
        read_checkpoint(file).description.calibration for file in (folder / "taught.ckpt", tmp_path / "again.ckpt")
    )
    assert after.gate == before.gate


def test_a_training_learns_them_at_its_end(planes, cache_dir, tmp_path):
    done = run_command(
        *("train.py", *QUICK, f"data.negatives={planes}", f"data.cache_dir={cache_dir}"),
        f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "head gate: of" in done.stdout
    assert read_checkpoint(tmp_path / "run/checkpoints/best.ckpt").description.calibration.gate is not None


def test_a_training_without_them_says_what_it_cannot_tell(trained):
    assert "cannot tell heads from other planes" in (trained / "train.log").read_text()


def test_a_folder_without_images_is_told_before_anything_is_trained(cache_dir, tmp_path):
    done = run_command(*("train.py", *QUICK, f"data.negatives={tmp_path}", f"data.cache_dir={cache_dir}"), cwd=tmp_path)
    assert done.returncode == 2
    assert "holds 0 images without a head; at least 20 are needed" in done.stderr
    assert not list(tmp_path.rglob("*.ckpt"))
