"""One list of readers: which file is whose."""

import numpy as np
import pytest
from PIL import Image

from fetal_seg.config.registries import READERS
from fetal_seg.errors import InputError
from fetal_seg.images.reader import FALLBACK, read_frames, readers

MARK = bytes(128) + b"DICM"


def test_the_readers_are_those_of_the_registry_and_pillow_is_the_last():
    assert [type(reader) for reader in readers()] == [READERS[name] for name in ("dicom", "video", FALLBACK)]


def test_no_two_readers_have_a_suffix_in_common():
    suffixes = [suffix for reader in readers() for suffix in reader.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


@pytest.mark.parametrize(
    ("name", "content", "reader"),
    [
        ("a.dcm", b"", "dicom"),
        ("a.IMA", b"", "dicom"),
        ("a", MARK, "dicom"),
        ("a.png", MARK, "dicom"),  # the mark counts more than the suffix
        ("a.avi", b"", "video"),
        ("a.MP4", b"", "video"),
        ("a.PNG", b"", "picture"),
        ("a", b"", None),
        ("a.txt", b"", None),
    ],
)
def test_whose_a_file_is(tmp_path, name, content, reader):
    (tmp_path / name).write_bytes(content)
    accepting = [known for known in readers() if known.accepts(tmp_path / name)]
    assert type(accepting[0]) is READERS[reader] if reader else accepting == []


def test_what_nobody_accepts_is_left_to_pillow(tmp_path):
    Image.fromarray(np.full((6, 8), 9, np.uint8)).save(tmp_path / "scan.xyz", format="PNG")
    (frame,) = read_frames(tmp_path / "scan.xyz", "scan.xyz")
    assert frame.image.tolist() == [[9] * 8] * 6


def test_what_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        list(read_frames(tmp_path / "a.png", "a"))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_frames(tmp_path, "a"))
