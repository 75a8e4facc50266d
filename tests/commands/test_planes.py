"""Other planes by the commands: a checkpoint that is shown them tells them from heads, and predictions say so."""

import json
import shutil

import numpy as np
import pytest

from fetal_seg.data.sources.hc18 import load
from fetal_seg.images.grey import write_image
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, run_command, table


def checkered(image, rng):
    """A head that is filled with squares, and mirrored: a network of phantoms still takes it for one."""
    size = int(rng.integers(60, 90))
    squares = np.add.outer(np.arange(image.shape[0]) // size, np.arange(image.shape[1]) // size) % 2
    mirrored = image[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
    return np.clip(mirrored * (0.3 + 1.4 * squares), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def heads(phantoms, cache_dir):
    return [record.read_image() for record in load(phantoms, cache_dir, download=False)]


@pytest.fixture(scope="module")
def planes(tmp_path_factory, heads):
    """Thirty-six things that are no heads, and eight heads."""
    folder, rng = tmp_path_factory.mktemp("planes"), np.random.default_rng(0)
    rows = ["filename,plane,patient"]
    for number in range(36):
        write_image(folder / f"t{number:02d}.png", checkered(heads[number % 12], rng))
        rows.append(f"t{number:02d}.png,thing,{number % 12}")
    for number, image in enumerate(heads[:8]):
        write_image(folder / f"h{number}.png", image)
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
    assert (gate.others, len(gate.images)) == (36, 44)
    assert "thing: 36 images" in told
    assert "44 of these images taught the checkpoint" in told
    rows = table(folder / "out" / "planes.csv")
    assert [row["taught"] for row in rows] == ["1"] * 44
    measured = [row for row in rows if row["plane"] == "thing" and row["flag"] == "ok"]
    assert len(measured) <= 2
    heads = [row for row in rows if row["plane"] == "brain"]
    assert sum(row["flag"] != "no head" for row in heads) >= 7


def test_held_out_heads_keep_their_measurements(taught):
    folder, _ = taught
    rows = table(folder / "out" / "per_image.csv")
    assert sum(row["missed"] == "1" for row in rows) <= 1
    assert all(0 <= float(row["head_probability"]) <= 1 for row in rows if row["missed"] == "0")


def test_predictions_say_how_sure_it_is_that_they_are_heads(taught, planes, heads, tmp_path):
    folder, _ = taught
    new = tmp_path / "new"
    new.mkdir()
    for number in range(6):
        write_image(new / f"t{number}.png", checkered(heads[number], np.random.default_rng(100 + number)))
    shutil.copy(planes / "h0.png", new / "h0.png")
    out = tmp_path / "out"
    done = run_command("predict.py", f"ckpt={folder}/taught.ckpt", f"input={new}", f"output={out}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {row["file"]: row for row in table(out / "predictions.csv")}
    assert float(rows["h0.png"]["head_probability"]) > 0.5
    things = [row for name, row in rows.items() if name != "h0.png"]
    assert sum(row["flag"] == "ok" for row in things) <= 2  # the network is small, and was shown few
    assert any("head probability" in row["reasons"] for row in things)
    assert np.mean([float(row["head_probability"] or 0) for row in things]) < 0.5
    first = json.loads((out / "predictions.jsonl").read_text().splitlines()[0])
    assert 0 <= first["head_probability"] <= 1
    assert "head, %" in (out / "report.html").read_text()


def test_where_all_images_show_heads_none_is_rejected(taught, heads, tmp_path):
    folder, _ = taught
    new = tmp_path / "new"
    new.mkdir()
    for number in range(6):
        write_image(new / f"t{number}.png", checkered(heads[number], np.random.default_rng(100 + number)))
    keys = [f"ckpt={folder}/taught.ckpt", f"input={new}", "overlays=false"]
    flags, reasons = {}, {}
    for reject in ("true", "false"):
        done = run_command("predict.py", *keys, f"reject={reject}", f"output={tmp_path / reject}", cwd=tmp_path)
        rows = table(tmp_path / reject / "predictions.csv")
        flags[reject], reasons[reject] = ([row[column] for row in rows] for column in ("flag", "reasons"))
    gated = [index for index, reason in enumerate(reasons["true"]) if "not the plane of a head" in reason]
    assert gated
    assert all(flags["true"][index] == "no head" and flags["false"][index] == "check" for index in gated)
    assert all("may be another plane" in reasons["false"][index] for index in gated)
    keys += ["reject=true", f"output={tmp_path / 'false'}", "predict.resume=true"]
    done = run_command("predict.py", *keys, cwd=tmp_path)
    assert done.returncode == 2
    assert "reject=False" in done.stderr


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
        *("data.images=60", "trainer.max_epochs=10", f"hydra.run.dir={tmp_path}/run"),
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
