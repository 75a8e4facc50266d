"""``runtime=auto`` by its commands: what is proven runs, else PyTorch with the reason."""

import json
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from functools import partial

import pytest

from fetal_seg.commands.prove import prove_pretrained
from fetal_seg.inference.predictor import Predictor
from fetal_seg.inference.proven import PROOF, find_proven, proof_folder
from fetal_seg.models import exporting
from tests.conftest import DRAWN, ROOT, drawn_head, run_command, table
from tests.forking import ForkedCommand


def bar(packages):
    """Be a process in which packages cannot be imported."""
    sys.modules.update(dict.fromkeys(packages))


def used_by(folder):
    return json.loads((folder / "settings.json").read_text())["runtime"]


def predict(cwd, source, *keys, cache, without=()):
    """Call predict.py as it were if packages were not installed; returns the finished process."""
    arguments = [f"input={source}", "pixel_size_mm=0.1", "output=out", *keys]
    env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    process = ForkedCommand(ROOT / "predict.py", arguments, cwd, env, partial(bar, without))
    told, errors = process.communicate(400)
    return subprocess.CompletedProcess(process.args, process.returncode, told, errors)


@pytest.fixture
def picture(first_prediction):
    return first_prediction[1].parent / "head.png"


@pytest.fixture
def cache(first_prediction, tmp_path):
    """A cache folder of its own in which OpenVINO was proven."""
    shutil.copytree(first_prediction[2] / "fetal_seg" / "exports", tmp_path / "cache" / "fetal_seg" / "exports")
    return tmp_path / "cache"


class TestFirstPrediction:
    def test_it_says_that_it_proves_and_how_long_it_took(self, first_prediction):
        printed, *_ = first_prediction
        assert "proving once that OpenVINO" in printed
        assert "proven, the circumferences of 8 phantoms differ by" in printed
        assert " s, once" in printed

    def test_its_results_say_what_ran(self, first_prediction):
        printed, out, _ = first_prediction
        (used,) = used_by(out)
        assert used["name"].startswith("OpenVINO ")
        assert used["name"].endswith(", float32")
        assert used["reason"].startswith("proven on this kind of CPU")
        assert f"run by {used['name']} ({used['reason']})" in (out / "report.html").read_text(encoding="utf-8")
        assert printed.splitlines()[-2] == f"runtime: {used['name']} ({used['reason']})"

    def test_the_next_one_measures_at_once(self, first_prediction, picture, tmp_path):
        done = predict(tmp_path, picture, "device=cpu", cache=first_prediction[2])
        assert done.returncode == 0, done.stderr
        assert "proving" not in done.stdout
        assert used_by(tmp_path / "out") == used_by(first_prediction[1])

    def test_it_measures_what_pytorch_measures(self, first_prediction, picture, tmp_path):
        done = predict(tmp_path, picture, "runtime=pytorch", "precision=32-true", cache=first_prediction[2])
        assert done.returncode == 0, done.stderr
        (used,) = used_by(tmp_path / "out")
        assert used["name"].startswith("PyTorch ")
        (ours,), (theirs,) = (table(out / "predictions.csv") for out in (first_prediction[1], tmp_path / "out"))
        assert float(ours["hc_mm"]) == pytest.approx(float(theirs["hc_mm"]), rel=1e-4)
        assert (ours["flag"], ours["reasons"]) == (theirs["flag"], theirs["reasons"])

    def test_a_library_takes_it_as_well(self, first_prediction, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(first_prediction[2]))
        ours, theirs = (Predictor.load(device="cpu", runtime=name, precision="32-true") for name in ("auto", "pytorch"))
        assert [predictor.used[0].name.split()[0] for predictor in (ours, theirs)] == ["OpenVINO", "PyTorch"]
        one, other = (predictor.measure(drawn_head(DRAWN), 0.1) for predictor in (ours, theirs))
        assert one.hc_mm == pytest.approx(other.hc_mm, rel=1e-4)
        assert one.flag == other.flag

    def test_an_evaluation_takes_it_and_says_so(self, first_prediction, phantoms, tmp_path):
        keys = ["ckpt=pretrained", "data=hc18", f"data.root={phantoms}", "data.limit=2", "device=cpu", "output=scores"]
        env = {"XDG_CACHE_HOME": str(first_prediction[2])}
        done = run_command("evaluate.py", *keys, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        (used,) = json.loads((tmp_path / "scores" / "summary.json").read_text())["runtime"]
        assert used == used_by(first_prediction[1])[0]
        assert f"runtime: {used['name']}" in done.stdout


class TestWithoutAProof:
    @pytest.mark.parametrize(
        ("without", "reason"),
        [
            (["openvino", "onnxruntime"], "neither OpenVINO nor ONNX Runtime is installed"),
            (["onnxscript"], "cannot be proven without onnxscript"),
        ],
    )
    def test_pytorch_runs_where_packages_are_missing(self, picture, without, reason, tmp_path):
        done = predict(tmp_path, picture, "device=cpu", cache=tmp_path / "cache", without=without)
        assert done.returncode == 0, done.stderr
        (used,) = used_by(tmp_path / "out")
        assert used["name"].startswith("PyTorch ")
        assert reason in used["reason"]
        assert not (tmp_path / "cache" / "fetal_seg" / "exports").exists()

    def test_pytorch_runs_where_the_cache_cannot_be_written(self, picture, tmp_path):
        (tmp_path / "cache").touch()  # no folder can be made in it, not even by root
        done = predict(tmp_path, picture, "device=cpu", cache=tmp_path / "cache")
        assert done.returncode == 0, done.stderr
        (used,) = used_by(tmp_path / "out")
        assert used["name"].startswith("PyTorch ")
        assert f"{tmp_path}/cache/fetal_seg cannot be written" in used["reason"]

    @pytest.mark.parametrize(("name", "package"), [("openvino", "openvino"), ("onnx", "onnxruntime")])
    def test_a_runtime_that_is_asked_for_and_missing_is_one_sentence(self, picture, name, package, tmp_path):
        done = predict(tmp_path, picture, f"runtime={name}", cache=tmp_path / "cache", without=[package])
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: runtime={name} is not installed: pip install 'fetal_seg[{name}]'")
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "out" / "predictions.csv").exists()


def test_weights_that_measure_otherwise_do_not_pass_and_are_not_kept(tmp_path, monkeypatch, caplog):
    for package in ("onnx", "onnxscript", "openvino", "onnxruntime"):
        pytest.importorskip(package, reason="it is proven")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    whole, traced, calls = exporting.export, exporting._to_onnx, []
    models = []

    def damaged(checkpoint, file_format, precision):
        calls.append(file_format)
        state = {name: value + 0.3 if name == "head.bias" else value for name, value in checkpoint.state.items()}
        return whole(replace(checkpoint, state=state), file_format, precision)

    def traced_once(checkpoint):  # the same for both formats, and slow
        models.append(models[0] if models else traced(checkpoint))
        return deepcopy(models[0])

    monkeypatch.setattr(exporting, "export", damaged)
    monkeypatch.setattr(exporting, "_to_onnx", traced_once)
    with caplog.at_level("INFO"):
        prove_pretrained(["pretrained"], "cpu", "auto", "auto")
    for name in ("openvino", "onnx"):
        network, reason = find_proven(name)
        assert network is None
        assert "the circumference of 0" in reason
        assert [file.name for file in proof_folder(name).iterdir()] == [PROOF]
    assert "differs by" in caplog.text
    used = Predictor.load(device="cpu").used[0]
    assert used.name.startswith("PyTorch ")
    assert used.reason.count("did not pass on this kind of CPU") == 2
    prove_pretrained(["pretrained"], "cpu", "auto", "auto")
    assert calls == ["openvino", "onnx"]  # it is not tried again by itself


def test_of_processes_that_find_an_export_damaged_one_proves_it_again(first_prediction, picture, cache, tmp_path):
    (weights,) = cache.rglob("*.bin")
    weights.write_bytes(weights.read_bytes()[:-1])
    env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    keys = [f"input={picture}", "device=cpu"]
    both = [ForkedCommand(ROOT / "predict.py", [*keys, f"output={tmp_path}/{name}"], tmp_path, env) for name in "ab"]
    printed = [process.communicate(timeout=500)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("s, once" in text for text in printed) == 1
    assert all(used_by(tmp_path / name) == used_by(first_prediction[1]) for name in "ab")
