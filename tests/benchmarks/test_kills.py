"""The benchmark of kills: a training and a prediction that survive one, and differences that it would see."""

import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest
import torch

from benchmarks import kills
from benchmarks.differences import left_over, of_predictions, of_trainings
from tests.forking import ForkedCommand


def forked(command, cwd, stdout, env, **_):
    """A command of the benchmark, at the head of a group of processes, which is killed whole."""
    _, script, *keys = command
    return ForkedCommand(script, keys, cwd, env, prepare=os.setsid, log=stdout.name)


@pytest.fixture(scope="module", autouse=True)
def forking():
    there = SimpleNamespace(Popen=forked, STDOUT=subprocess.STDOUT, TimeoutExpired=subprocess.TimeoutExpired)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kills, "subprocess", there)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def wholes(folder):
    training, prediction, *_ = kills.kinds(folder)
    return [kills.undisturbed(training, folder), kills.undisturbed(prediction, folder)]


def test_a_training_and_a_prediction_survive(wholes, folder):
    for whole in wholes:
        outcome = kills.killed(whole, folder / f"killed_{whole.kind.name}", [0.4 * whole.seconds])
        assert outcome.differences == ()
        assert len(outcome.moments) == 1
        assert outcome.command.split()[0] in ("train.py", "predict.py")


def test_a_command_that_fails_after_its_kill_is_told(wholes, folder):
    broken = kills.Kind("broken", lambda _: ["predict.py", "input=nowhere"], of_predictions)
    whole = kills.Undisturbed(broken, wholes[1].folder, 1.0)
    outcome = kills.killed(whole, folder / "broken", [0.05])
    assert outcome.differences[0] == "predict.py input=nowhere ended with 2"
    assert any("nowhere" in line for line in outcome.differences[1:])


def test_differences_are_seen(wholes, tmp_path):
    training, prediction = (shutil.copytree(whole.folder, tmp_path / whole.kind.name) for whole in wholes)
    assert list(of_trainings(wholes[0].folder, training)) == []
    content = torch.load(training / "checkpoints" / "last.ckpt", weights_only=True)
    name, tensor = next(iter(content["state_dict"].items()))
    tensor += 1e-7
    torch.save(content, training / "checkpoints" / "last.ckpt")
    (found,) = of_trainings(wholes[0].folder, training)
    assert found.startswith("training/last.ckpt: 1 of")
    assert name in found
    (prediction / "predictions.csv").write_text("")
    (prediction / "masks" / ".mask-0123abcd.png").touch()
    assert list(of_predictions(wholes[1].folder, prediction)) == ["predictions.csv differs"]
    assert list(left_over(prediction)) == ["masks/.mask-0123abcd.png is left"]
