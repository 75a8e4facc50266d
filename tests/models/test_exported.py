"""The seal of an export, and what it says of itself."""

import json

import pytest

from fetal_seg.errors import InputError
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.exported import (
    ENTRY,
    SEAL_ENTRY,
    UNSEALED,
    ExportDescription,
    check_seal,
    from_metadata,
    is_exported,
    sealed,
    to_metadata,
)


def test_a_seal_is_broken_by_any_change(tmp_path):
    contents = sealed([b"head " + UNSEALED.encode() + b" tail", b"weights"])
    check_seal(tmp_path / "x.onnx", contents)
    for part, content in enumerate(contents):
        for place in range(len(content)):
            changed = list(contents)
            changed[part] = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            with pytest.raises(InputError):
                check_seal(tmp_path / "x.onnx", changed)


@pytest.mark.parametrize("content", [b"", b"none", 2 * UNSEALED.encode()])
def test_a_file_without_one_place_for_it_is_not_sealed(content, tmp_path):
    with pytest.raises(ValueError, match="exactly one"):
        sealed([content])
    with pytest.raises(InputError, match="no export of this program"):
        check_seal(tmp_path / "x.onnx", [content])


def test_metadata_hold_all_that_the_checkpoint_says(tmp_path):
    description = read_checkpoint("pretrained").description
    metadata = to_metadata(description, ExportDescription("onnx", "f32", "00"))
    assert metadata[SEAL_ENTRY] == UNSEALED
    read, export = from_metadata(tmp_path, metadata[ENTRY])
    assert read.calibration == description.calibration
    assert (export.format, export.precision, export.checkpoint_sha256) == ("onnx", "f32", "00")


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"format": 99}), json.dumps({"format": 3})])
def test_what_is_no_description_is_refused(text, tmp_path):
    with pytest.raises(InputError, match="export the checkpoint again"):
        from_metadata(tmp_path / "x.onnx", text)


def test_the_suffix_tells_an_export(tmp_path):
    assert is_exported(tmp_path / "x.ONNX")
    assert not is_exported(tmp_path / "x.ckpt")
