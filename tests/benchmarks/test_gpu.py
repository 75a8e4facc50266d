"""The benchmark of GPUs on the CPU's path: where a GPU can be borrowed, one command must do all."""

import json
from types import SimpleNamespace

import pytest

from benchmarks import gpu
from tests.conftest import ROOT
from tests.forking import fork_command


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the benchmark, whose commands are forks; the file of its table is gpu.json."""

    def forked(command, **_):
        _, script, *keys = command
        return fork_command(script, keys, ROOT, timeout=240)

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["gpu.py", "--output", str(tmp_path / "gpu.json"), *arguments])
        gpu.main()

    monkeypatch.setattr(gpu, "subprocess", SimpleNamespace(run=forked))
    return call


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


def test_one_command_trains_predicts_and_leaves_a_table(run, tmp_path, capsys):
    run(*SMALL, "--precisions", "32-true", "bf16-mixed", "--", *KEYS)
    told = capsys.readouterr().out
    content = json.loads((tmp_path / "gpu.json").read_text())
    assert content["machine"] in told.replace("\n", " ")
    assert [result["precision"] for result in content["results"]] == ["32-true", "bf16-mixed"]
    for result in content["results"]:
        assert result["predicted"] == 3
        assert result["images_per_s"] == pytest.approx(12 / result["epoch_s"])
        assert 0 <= result["val_dice"] <= 1
        assert f"{result['images_per_s']:.0f} images/s" in told
    assert "mask Dice" in told


def test_a_training_that_fails_is_told(run, tmp_path):
    with pytest.raises(SystemExit, match=r"(?s)train\.py .* ended with 2.*model\.depth=99"):
        run(*SMALL, "--precisions", "32-true", "--", "model.depth=99")
    assert not (tmp_path / "gpu.json").exists()
