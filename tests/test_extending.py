"""The examples of docs/extending.md work, and unknown names are refused before anything heavy is imported."""

import re
import shutil
import sys

import numpy as np
import pytest

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import write_image
from tests.conftest import DRAWN, ROOT, drawn_head, run_command, table
from tests.forking import ForkedCommand

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"(New file|Add to) `([^`]+)`[^\n]*:\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
SMALL = ("data.height=64", "data.width=96", "trainer=cpu", "trainer.max_epochs=1", "trainer.log_images=0")
CHOICES = ("loss=tversky", "optim=adagrad", "scheduler=linear", "model=tiny", "augmentation=hazy")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with all that the page adds."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("fetal_seg", "conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("train.py", "predict.py"):
        shutil.copy(ROOT / name, folder)
    for how, path, content in EXAMPLE.findall(PAGE):
        file = folder / path
        assert file.exists() == (how == "Add to"), path
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"\n\n{content}" if how == "Add to" else content)
    return folder


def forget():
    """Have `fetal_seg` imported anew: it is then the copy's, whose folder comes first."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "fetal_seg"]:
        del sys.modules[name]


def run(project, script, *arguments):
    """Call an entry point of the copy."""
    process = ForkedCommand(project / script, arguments, project, prepare=forget)
    _, errors = process.communicate(120)
    assert process.returncode == 0, errors


def test_the_page_shows_all_seven():
    folders = {"/".join(path.split("/")[:2]) for _, path, _ in EXAMPLE.findall(PAGE)}
    assert len(re.findall(r"^## An? ", PAGE, re.MULTILINE)) == 7
    assert {f"conf/{name}" for name in ("model", "loss", "optim", "scheduler", "data", "augmentation")} <= folders
    assert {f"fetal_seg/{name}" for name in ("models", "training", "data", "images")} <= folders


def test_loss_optimizer_scheduler_network_and_augmentation_train(project):
    phantoms = ("data=phantom", "data.images=12", "data.test_images=1", f"data.cache_dir={project / 'cache'}")
    keys = ("model.channels=4", "loss.alpha=0.3", "optim.initial=0.2", "scheduler.end=0.5", "augmentation.haze=1.0")
    folder = project / "run"
    run(project, "train.py", *phantoms, *SMALL, *CHOICES, *keys, f"hydra.run.dir={folder}", "optim.lr=0.02")
    (epoch,) = table(folder / "metrics.csv")
    assert 0 < float(epoch["train/loss"]) < 1
    assert 0.45 < float(epoch["lr"]) / 0.02 < 0.75, "the schedule ends at half the rate"


def test_the_data_source_trains(project, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for number in range(10):
        head = Ellipse(380 + 5 * number, 260, 170 - 5 * number, 130, 0.1 * number)
        write_image(flat / f"{number}.png", drawn_head(head))
        write_image(flat / f"{number}_head.png", 255 * head.rasterise(540, 800))
    places = (f"data.root={flat}", f"data.cache_dir={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / 'run'}")
    run(project, "train.py", "data=flat", "model=tiny", *SMALL, *places, "evaluate=false")
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").is_file()


def test_the_reader_is_measured_by_predict(project, tmp_path):
    np.save(tmp_path / "scan.npy", drawn_head(DRAWN))
    output = tmp_path / "results"
    run(project, "predict.py", f"input={tmp_path / 'scan.npy'}", "pixel_size_mm=0.12", f"output={output}")
    (row,) = table(output / "predictions.csv")
    assert row["file"] == "scan.npy"
    assert float(row["hc_mm"]) == pytest.approx(0.12 * DRAWN.circumference, rel=0.05)


@pytest.fixture
def without_torch(project, tmp_path):
    """The environment of a command that fails where torch is imported."""
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')\n")
    return {"PYTHONPATH": str(tmp_path)}


KNOWN = {
    "model": ("encoder_decoder", "lite", "smp", "tiny", "unet"),
    "loss": ("bce_dice", "boundary", "tversky"),
    "optim": ("adagrad", "adamw", "sgd"),
    "scheduler": ("cosine", "linear", "onecycle"),
    "data": ("flat", "folder", "hc18", "phantom"),
    "augmentation": ("hazy", "none"),
}


@pytest.mark.parametrize("group", KNOWN)
def test_an_unknown_choice_is_refused_with_the_known_ones(group, project, without_torch):
    done = run_command(project / "train.py", f"{group}=nobody", cwd=project, env=without_torch)
    assert done.returncode == 2, done.stderr
    assert "nobody" in done.stderr
    assert all(name in done.stderr for name in KNOWN[group]), done.stderr


@pytest.mark.parametrize("group", [group for group in KNOWN if group != "augmentation"])
def test_a_name_that_only_a_yaml_knows_is_refused_with_the_known_ones(group, project, without_torch):
    file = project / "conf" / group / "nobody.yaml"
    file.write_text("name: nobody\n")
    try:
        done = run_command(project / "train.py", f"{group}=nobody", cwd=project, env=without_torch)
    finally:
        file.unlink()
    assert done.returncode == 2, done.stderr
    assert "nobody" in done.stderr
    assert all(name in done.stderr for name in KNOWN[group]), done.stderr


def test_an_augmentation_that_only_a_yaml_knows_is_refused_with_the_known_ones(project, without_torch):
    done = run_command(project / "train.py", "augmentation.nobody=0.3", cwd=project, env=without_torch)
    assert done.returncode == 2, done.stderr
    assert "augmentation.nobody" in done.stderr
    assert "haze" in done.stderr
    assert "speckle" in done.stderr


def test_a_file_that_no_reader_accepts_is_refused_with_the_known_suffixes(project, without_torch, tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "scan.xyz").write_bytes(b"?")
    done = run_command(project / "predict.py", f"input={tmp_path / 'scans'}", cwd=project, env=without_torch)
    assert done.returncode == 2, done.stderr
    assert all(suffix in done.stderr for suffix in (".npy", ".png", ".dcm", ".mp4")), done.stderr
