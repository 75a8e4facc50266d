"""What a proof is good for: the same weights, runtime, version and kind of processor."""

import json
import shutil
from dataclasses import replace

import pytest

from fetal_seg.errors import InputError
from fetal_seg.inference import proven
from fetal_seg.inference.proven import PROOF, choices, exported_file, find_proven, proof_folder, read_proof
from fetal_seg.models.processor import processor


@pytest.fixture
def cache(first_prediction, tmp_path, monkeypatch):
    """A cache folder of its own in which OpenVINO was proven."""
    shutil.copytree(first_prediction[2] / "fetal_seg" / "exports", tmp_path / "fetal_seg" / "exports")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_proven_is_found_with_how_well(cache):
    network, reason = find_proven("openvino")
    assert (network.export.format, network.export.precision) == ("openvino", "f32")
    assert reason.startswith("proven on this kind of CPU: the circumferences of 8 phantoms differ by ")
    assert read_proof(proof_folder("openvino")).difference_percent < 0.01


@pytest.mark.parametrize("what", ["processor", "version", "runtime", "weights"])
def test_a_proof_of_another_kind_says_nothing(cache, what, monkeypatch):
    if what == "processor":
        monkeypatch.setattr(proven, "processor", lambda: replace(processor(), kind="another"))
    elif what == "version":
        monkeypatch.setattr(proven, "__version__", "999")
    elif what == "runtime":
        monkeypatch.setattr(proven, "runtime_title", lambda name: "OpenVINO 999")
    else:
        monkeypatch.setattr("fetal_seg.models.weights.digest_of", lambda name: "0" * 64)
    network, reason = find_proven("openvino")
    assert network is None
    assert "was not proven on this kind of CPU yet" in reason


@pytest.mark.parametrize("content", ["", "{", "[]", '{"images": "many"}'])
def test_a_damaged_proof_is_none(cache, content):
    (proof_folder("openvino") / PROOF).write_text(content)
    assert find_proven("openvino")[0] is None


def test_a_damaged_export_is_not_used(cache):
    file = exported_file("openvino", proof_folder("openvino"))
    file.with_suffix(".bin").write_bytes(b"damaged")
    network, reason = find_proven("openvino")
    assert network is None
    assert "is damaged" in reason


def test_a_proof_that_failed_says_why_and_how_it_is_tried_again(cache):
    file = proof_folder("openvino") / PROOF
    file.write_text(json.dumps(json.loads(file.read_text()) | {"refused": "a.png differs by 3 %"}))
    network, reason = find_proven("openvino")
    assert network is None
    assert "a.png differs by 3 %" in reason
    assert f"remove {file.parent}" in reason


def test_what_keeps_a_proof_from_being_made_is_told(user_cache, monkeypatch):
    pytest.importorskip("openvino")
    pytest.importorskip("onnxscript")
    assert f"{user_cache / 'fetal_seg'} cannot be written" in find_proven("openvino")[1]
    monkeypatch.setattr(proven, "missing_packages", lambda *asked: ["onnxscript"])
    assert "cannot be proven without onnxscript: pip install 'fetal_seg[openvino]'" in find_proven("openvino")[1]


def test_the_fastest_that_is_installed_comes_first(monkeypatch):
    monkeypatch.setattr(proven, "can_run", lambda name: True)
    assert list(choices("auto")) == ["openvino", "onnx"]
    assert list(choices("onnx")) == ["onnx"]
    assert list(choices("pytorch")) == []


def test_a_runtime_that_is_not_there_is_an_error_only_where_it_is_named(monkeypatch):
    monkeypatch.setattr(proven, "can_run", lambda name: False)
    assert list(choices("auto")) == []
    with pytest.raises(InputError, match=r"runtime=onnx is not installed: pip install 'fetal_seg\[onnx\]'"):
        list(choices("onnx"))


def test_an_export_in_the_package_goes_before_one_that_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("fetal_seg.models.weights.locate", lambda name: tmp_path / "package" / "lite.safetensors")
    assert exported_file("onnx", tmp_path / "made") == tmp_path / "made" / "pretrained.onnx"
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "lite.onnx").touch()
    assert exported_file("onnx", tmp_path / "made") == tmp_path / "package" / "lite.onnx"
    assert exported_file("openvino", tmp_path / "made") == tmp_path / "made" / "pretrained.xml"
