import os
import subprocess
import sys

import pytest

from fetal_seg.models.runtimes import can_run, missing_packages, runtime_title

PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino"}


@pytest.mark.parametrize("name", PACKAGES)
def test_an_installed_runtime_has_a_title_with_its_version(name):
    package = pytest.importorskip(PACKAGES[name])
    assert can_run(name)
    title = runtime_title(name)
    assert title.split()[-1] == package.__version__.split("-")[0]
    assert "-" not in title


@pytest.mark.parametrize("name", PACKAGES)
def test_a_runtime_that_cannot_be_imported_is_not_installed(name, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    assert not can_run(name)


def test_what_an_export_lacks_is_named(monkeypatch):
    monkeypatch.setattr("fetal_seg.models.runtimes.is_installed", lambda name: name not in ("onnxscript", "nncf"))
    assert missing_packages("openvino", "f32") == ["onnxscript"]
    assert missing_packages("openvino", "int8") == ["onnxscript", "nncf"]
    assert missing_packages("onnx", "int8") == ["onnxscript"]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_runtime_leaves_no_mark_of_telemetry(name, tmp_path):
    """Both keep the number by which they report a user in that user's home."""
    pytest.importorskip(PACKAGES[name])
    code = (
        "import os, sys; from fetal_seg.models.runtimes import import_runtime; before = dict(os.environ); "
        f"import_runtime('{name}'); assert os.environ == before; assert 'openvino_telemetry' not in sys.modules"
    )
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    home = {key: value for key, value in home.items() if key not in ("ORT_DISABLE_TELEMETRY", "CI")}
    subprocess.run([sys.executable, "-c", code], check=True, env=home, timeout=60)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
