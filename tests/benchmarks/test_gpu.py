"""The benchmark of GPUs on the CPU's path: where a GPU can be borrowed, one command must do all."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def run(folder, *arguments):
    command = [sys.executable, "-m", "benchmarks.gpu", "--output", str(folder / "gpu.json"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


SMALL = (
    "--accelerator",
    "cpu",
    "--no-compile",
    "--epochs",
    "1",
    "--images",
    "12",
    "--test-images",
    "3",
    "--batch",
    "4",
)
KEYS = ("data.height=48", "data.width=64", "model.depth=3", "model.width=4")


def test_one_command_trains_predicts_and_leaves_a_table(tmp_path):
    done = run(tmp_path, *SMALL, "--precisions", "32-true", "bf16-mixed", "--", *KEYS)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "gpu.json").read_text())
    assert content["machine"] in done.stdout.replace("\n", " ")
    assert [result["precision"] for result in content["results"]] == ["32-true", "bf16-mixed"]
    for result in content["results"]:
        assert result["predicted"] == 3
        assert result["images_per_s"] == pytest.approx(12 / result["epoch_s"])
        assert 0 <= result["val_dice"] <= 1
        assert f"{result['images_per_s']:.0f} images/s" in done.stdout
    assert "mask Dice" in done.stdout


def test_a_training_that_fails_is_told(tmp_path):
    done = run(tmp_path, *SMALL, "--precisions", "32-true", "--", "model.depth=99")
    assert done.returncode != 0
    assert "model.depth" in done.stderr
    assert not (tmp_path / "gpu.json").exists()
