import numpy as np
import pytest

from fetal_seg.errors import InputError
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.decoding import Request
from fetal_seg.images.grey import write_image
from fetal_seg.images.reader import read_frames
from tests.conftest import frames_before_error
from tests.videos import write_video


@pytest.fixture(scope="module")
def decoders():
    with Decoders(count=2) as started:
        yield started


@pytest.fixture
def picture(tmp_path):
    write_image(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8))
    return tmp_path / "a.png"


def test_frames_come_as_they_are_read_here(decoders, picture):
    (found,) = decoders.frames(Request(picture, "scans/a.png"))
    (expected,) = read_frames(picture, "scans/a.png")
    assert np.array_equal(found.image, expected.image)
    assert (found.file, found.number, found.spacing, found.notes) == ("scans/a.png", None, None, ())


def test_a_part_of_a_files_frames_is_read(decoders, tmp_path):
    video = write_video(tmp_path / "a.avi", "MJPG")
    expected = [frame.number for frame in read_frames(video, "a.avi", 2)]
    assert len(expected) > 3
    parts = [(0, 2), (2, None)]
    found = [[frame.number for frame in decoders.frames(Request(video, "a.avi", 2, at, most))] for at, most in parts]
    assert [len(found[0]), found[0] + found[1]] == [2, expected]
    left = decoders.frames(Request(video, "a.avi"))
    assert next(left).number == 0
    left.close()  # what is not wanted any more holds no process
    assert [frame.number for frame in decoders.frames(Request(video, "a.avi", 2))] == expected


def test_errors_are_those_that_reading_here_gives(decoders, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    frames, expected = frames_before_error(tmp_path / "a.png")
    assert frames == []
    with pytest.raises(InputError) as found:
        list(decoders.frames(Request(tmp_path / "a.png", "a.png")))
    assert str(found.value) == str(expected)


def test_too_much_memory_is_an_error_of_the_file(decoders, tmp_path):
    from PIL import Image

    Image.fromarray(np.zeros((9000, 9900), np.uint16)).save(
        tmp_path / "a.png", compress_level=1
    )  # 1 GiB, as it is read
    with pytest.raises(InputError, match="takes more than 1 GiB of memory"):
        list(decoders.frames(Request(tmp_path / "a.png", "a.png")))
