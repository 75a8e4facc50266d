"""The wheel, installed by pip into a fresh environment without what a training needs. `make test-wheel` calls this."""

import csv
import io
import os
import subprocess
import sys
import venv

import pytest

from fetal_seg.images.grey import write_image
from fetal_seg.version import __version__
from tests.conftest import DRAWN, ROOT, drawn_head

MOST_MB = 400  # that pip adds to an empty environment
NAMES = ("torch", "lightning", "optuna", "tensorboard", "matplotlib", "scipy", "albumentations")

PLAIN = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}  # without our folder

pytestmark = pytest.mark.skipif("FETAL_SEG_WHEEL" not in os.environ, reason="FETAL_SEG_WHEEL names no wheel")


def megabytes(folder):
    return (
        int(subprocess.run(["du", "-sk", folder], capture_output=True, text=True, check=True).stdout.split()[0]) / 1024
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment, and how many megabytes pip added to it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    empty = megabytes(folder)
    wheel, constraints = os.environ["FETAL_SEG_WHEEL"], ROOT / "constraints.txt"
    install = [folder / "bin" / "pip", "install", "--quiet", "--constraint", constraints, wheel]
    subprocess.run(install, env=PLAIN, check=True)
    return folder, megabytes(folder) - empty


@pytest.fixture
def call(environment, tmp_path):
    """Calls the program in another folder, one that holds a scan."""
    write_image(tmp_path / "scan.png", drawn_head(DRAWN))

    def call(*arguments, program="fetal-seg"):
        command = [environment[0] / "bin" / program, *arguments]
        env = {**PLAIN, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return call


def test_it_is_small_and_has_nothing_of_a_training(environment):
    folder, added = environment
    print(f"du -sk: pip added {added:.1f} MB; Python {sys.version.split()[0]}")
    assert added < MOST_MB
    packages = {path.name.casefold() for path in folder.glob("lib/python*/site-packages/*")}
    assert not packages & set(NAMES)


def test_it_measures(call):
    done = call("measure", "scan.png", "--pixel-size", "0.12", "--csv")
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["flag"] in ("ok", "check")
    assert float(row["hc_mm"]) == pytest.approx(0.12 * DRAWN.circumference, rel=0.05)
    assert call("--version").stdout == f"fetal-seg {__version__}\n"


def test_it_predicts(call, tmp_path):
    done = call("predict", "input=scan.png", "pixel_size_mm=0.12", "gestational_age_weeks=22", "output=out")
    assert done.returncode == 0, done.stderr
    assert "no growth chart" in done.stdout + done.stderr
    assert {"predictions.csv", "report.html", "contact_sheet.jpg"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert "fetal-seg predict input=scan.png" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_it_is_a_library(call):
    code = "from fetal_seg import Predictor; print(Predictor.load().measure('scan.png', 0.12).flag)"
    done = call("-c", code, program="python")
    assert done.stdout.strip() in ("ok", "check"), done.stderr


@pytest.mark.parametrize("name", ["train", "evaluate", "search", "report", "export"])
def test_what_it_lacks_is_one_sentence(call, name, tmp_path):
    before = set(tmp_path.iterdir())
    done = call(name, "seed=1")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {name} needs torch")
    assert done.stderr.strip().endswith("pip install 'fetal_seg[train]'")
    assert set(tmp_path.iterdir()) == before
    assert call(name, "--help").returncode == 0


def test_a_checkpoint_needs_pytorch(call, tmp_path):
    (tmp_path / "best.ckpt").touch()
    done = call("predict", "input=scan.png", "ckpt=best.ckpt")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "ckpt=best.ckpt needs torch" in done.stderr
    assert not list(tmp_path.glob("outputs/predict/*"))


def test_it_completes(call):
    assert call("--complete", "fetal-seg predict tt").stdout == "tta=\n"
