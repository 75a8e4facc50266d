"""What the tests of the page share: its measurement in Node, and predict.py on the same files."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT, run_command, table

WEB = ROOT / "web"
NETWORK = WEB / "generated" / "network.onnx"


@pytest.fixture(scope="session")
def page_tools():
    """Node and the page's packages; `make test-page` installs them."""
    if os.environ.get("FETAL_SEG_PAGE") != "1":
        pytest.skip("the page is tested by `make test-page`, which sets FETAL_SEG_PAGE=1")
    missing = [name for name in ("node", "npx") if shutil.which(name) is None]
    missing += [] if (WEB / "node_modules").is_dir() else ["web/node_modules (npm ci)"]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")


@pytest.fixture(scope="session")
def network(page_tools):
    """The network of the page; exported where it is not there yet."""
    generate = [sys.executable, "-m", "tools.page_data", str(NETWORK.parent)]
    options = ["--constants"] if NETWORK.is_file() else []
    subprocess.run([*generate, *options], cwd=ROOT, check=True)
    return NETWORK


@pytest.fixture(scope="session")
def on_page(network):
    """Measures files as the page does: its table, by file; `sizes` are the sides of pixels, mm, by file."""

    def measure(paths, tmp_path, sizes=None):
        (tmp_path / "sizes.json").write_text(json.dumps(sizes or {}))
        command = ["npx", "tsx", "tests/measure_files.ts", str(network), "--sizes", str(tmp_path / "sizes.json")]
        done = subprocess.run([*command, *map(str, paths)], cwd=WEB, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return {row["file"]: row for row in csv.DictReader(io.StringIO(done.stdout, newline=""))}

    return measure


@pytest.fixture(scope="session")
def by_predict():
    """Measures a folder by predict.py with some checkpoint: its table, by file."""

    def measure(folder, tmp_path, checkpoint, *keys):
        output = tmp_path / f"by_{checkpoint.stem if checkpoint != 'pretrained' else checkpoint}"
        keys = [f"input={folder}", f"ckpt={checkpoint}", f"output={output}", "overlays=false", *keys]
        done = run_command("predict.py", *keys, cwd=tmp_path, timeout=500)
        assert done.returncode == 0, done.stderr
        return {row["file"]: row for row in table(output / "predictions.csv")}

    return measure


PATHS = ("mask", "overlay")  # of pictures, which the page does not write
TOLERANCES = {"angle_rad": 1e-4, "head_probability": 1e-3, "confidence": 1e-4}  # absolute; others are relative
RELATIVE = 1e-4  # a tenth of what issue and documents promise of circumferences


def assert_same(page, python, relative=RELATIVE, scale=1.0):
    """The same files, with the same words in each column, and numbers that are nearly the same."""
    assert page.keys() == python.keys()
    for file, row in python.items():
        assert page[file].keys() == row.keys()
        for column, expected in row.items():
            if column in PATHS:
                continue
            found = page[file][column]
            try:
                number = float(expected)
            except ValueError:
                assert found == expected, (file, column)
            else:
                absolute = scale * TOLERANCES.get(column, 0.0)
                assert float(found) == pytest.approx(number, rel=relative, abs=absolute), (file, column)
