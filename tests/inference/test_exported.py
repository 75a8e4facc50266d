"""Reading exports: what is missing is told. That they measure as checkpoints do is in tests/commands/test_export.py."""

import sys

import pytest

from fetal_seg.errors import InputError
from fetal_seg.inference.exported import read_exported
from fetal_seg.models.exported import UNSEALED, sealed


@pytest.mark.parametrize("name", ["gone.onnx", "gone.xml"])
def test_a_file_that_is_not_there(name, tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_exported(tmp_path / name)


def test_an_openvino_file_without_its_weights(tmp_path):
    (tmp_path / "x.xml").write_bytes(sealed([UNSEALED.encode()])[0])
    with pytest.raises(InputError, match=r"x\.bin"):
        read_exported(tmp_path / "x.xml")


@pytest.mark.parametrize(("suffix", "package"), [(".onnx", "onnxruntime"), (".xml", "openvino")])
def test_a_runtime_that_is_not_installed(suffix, package, tmp_path, monkeypatch):
    contents = sealed([UNSEALED.encode(), *([b"weights"] if suffix == ".xml" else [])])
    for part, name in zip(contents, (suffix, ".bin"), strict=False):
        (tmp_path / f"x{name}").write_bytes(part)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match="pip install"):
        read_exported(tmp_path / f"x{suffix}")


def test_a_sealed_file_that_is_no_network(tmp_path):
    pytest.importorskip("onnxruntime", reason="it runs ONNX files")
    (tmp_path / "x.onnx").write_bytes(sealed([UNSEALED.encode()])[0])
    with pytest.raises(InputError, match="holds no description"):
        read_exported(tmp_path / "x.onnx")
