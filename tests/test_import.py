"""Importing the library changes nothing of its host, and what measures imports nothing of a training."""

import csv
import io
import json
import subprocess
import sys
import zipfile

import pytest

from fetal_seg.images.grey import write_image
from tests.conftest import DRAWN, drawn_head, run_command, table

CODE = """
import importlib, json, logging, os, pkgutil, sys, warnings
LOGGERS = [logging.getLogger(name) for name in (None, *"PIL pydicom lightning lightning.pytorch optuna".split())]

def import_all():
    import fetal_seg
    for module in pkgutil.walk_packages(fetal_seg.__path__, "fetal_seg."):
        importlib.import_module(module.name)

def state():
    return {
        "warnings": [str(rule) for rule in warnings.filters],
        "environment": [f"{name}={value}" for name, value in os.environ.items()],
        "loggers": [f"{log.name} {log.level} {log.propagate} {log.handlers}" for log in LOGGERS],
    }

environment = dict(os.environ)
import_all()  # once for what the libraries beneath do, which counts for nothing here
for name in [name for name in sys.modules if name.split(".")[0] == "fetal_seg"]:
    del sys.modules[name]
warnings.resetwarnings()
os.environ.clear()
os.environ.update(environment)
for log in LOGGERS:
    log.setLevel(logging.INFO)
    log.propagate, log.handlers = True, [logging.NullHandler()]
before = state()
import_all()
print(json.dumps([before, state()]))
"""


@pytest.fixture(scope="module")
def states():
    """Of a process, before and after all modules are imported."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# "environment": NO_ALBUMENTATIONS_UPDATE is of data/augmentation/augmenter.py
@pytest.mark.parametrize("what", ["warnings", "environment", "loggers"])
def test_importing_all_modules_changes_nothing_of_the_process(what, states):
    before, after = states
    assert before[what] == after[what]


@pytest.mark.parametrize("module", ["fetal_seg", "fetal_seg.images.reader", "fetal_seg.data.loading"])
def test_torch_is_not_imported_before_it_is_needed(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


BARRED = """
import pathlib, sys
from fetal_seg.config import extras
for module in extras.TRAINING:
    if "." not in module:  # Hydra looks for its plugins itself
        sys.modules[module] = None  # an import of it raises
import fetal_seg.models.weights as weights
weights.PRETRAINED_EXPORT = pathlib.Path(sys.argv.pop(1))
from fetal_seg.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def exported(good, cache_dir, tmp_path_factory):
    """A network that finds heads in phantoms, as an export."""
    file = tmp_path_factory.mktemp("exported") / "head.onnx"
    keys = [f"ckpt={good}", f"data.cache_dir={cache_dir}", "data.limit=2", f"output={file}"]
    done = run_command("export.py", *keys, cwd=file.parent, timeout=300)
    assert done.returncode == 0, done.stderr
    return file


def without_training(export, *arguments, cwd):
    """Call the program where nothing of a training can be imported, with an export as the pretrained weights."""
    code = ["-c", BARRED, export, *arguments]
    return subprocess.run([sys.executable, *map(str, code)], cwd=cwd, capture_output=True, text=True, check=False)


def test_measuring_and_predicting_import_nothing_of_a_training(exported, phantoms, tmp_path):
    with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".png"))
        (tmp_path / "scan.png").write_bytes(archive.read(name))
    done = without_training(exported, "measure", "scan.png", "--pixel-size", "0.12", "--csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (measured,) = csv.DictReader(io.StringIO(done.stdout))
    assert measured["flag"] in ("ok", "check")
    keys = ["input=scan.png", "pixel_size_mm=0.12", "gestational_age_weeks=22", "output=out"]
    done = without_training(exported, "predict", *keys, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (predicted,) = table(tmp_path / "out" / "predictions.csv")
    assert predicted["hc_mm"] == measured["hc_mm"]
    assert "no growth chart: matplotlib" in done.stdout + done.stderr
    assert f"{' '.join(keys)}<" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")  # as it was typed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train"], "train needs torch, lightning"),
        (["train", "-m", "seed=0,1"], "train needs torch, lightning"),
        (["report", "runs=[a]"], "report needs torch, lightning"),
        (["predict", "input=scan.png", "ckpt=best.ckpt"], "ckpt=best.ckpt needs torch"),
        (["measure", "scan.png"], "ckpt=pretrained needs PyTorch here, since lite.onnx is not in this installation"),
    ],
)
def test_what_a_training_alone_brings_is_told(arguments, told, tmp_path):
    write_image(tmp_path / "scan.png", drawn_head(DRAWN))
    (tmp_path / "best.ckpt").touch()
    done = without_training(tmp_path / "lite.onnx", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(f"error: {told}")
    assert "pip install 'fetal_seg[train]'" in done.stderr
    assert not list(tmp_path.glob("outputs/*/*"))
