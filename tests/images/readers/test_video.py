import itertools
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fetal_seg.errors import InputError
from fetal_seg.images.reader import read_frames
from tests.conftest import frames_before_error
from tests.videos import FRAMES, HEIGHT, WIDTH, pictures, write_video

KINDS = {"a.avi": "MJPG", "b.mp4": "mp4v", "c.mov": "mp4v", "d.mkv": "MJPG", "e.m4v": "mp4v", "F.AVI": "XVID"}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """One of each kind: read them only."""
    folder = tmp_path_factory.mktemp("videos")
    return {name: write_video(folder / name, code) for name, code in KINDS.items()}


def shown(frame) -> int:
    """The number that the strip at the top stands for."""
    return round(float(frame.image[4:28].mean()) / 10)


@pytest.mark.parametrize("name", KINDS)
def test_all_frames_in_grey(videos, name):
    frames = list(read_frames(videos[name], f"x/{name}"))
    assert [frame.number for frame in frames] == [shown(frame) for frame in frames] == list(range(FRAMES))
    for frame, picture in zip(frames, pictures(), strict=True):
        luma = picture[..., ::-1].astype(np.float64) @ (0.299, 0.587, 0.114)
        assert (frame.image.dtype, frame.image.shape) == (np.uint8, (HEIGHT, WIDTH))
        assert np.abs(frame.image - luma).mean() < 4  # they are compressed with loss
        assert (frame.file, frame.spacing, frame.notes, frame.regions) == (f"x/{name}", None, (), ())


@pytest.mark.parametrize("every", [2, 5, 23, 24, 100])
@pytest.mark.parametrize("name", ["a.avi", "b.mp4"])
def test_every_nth_frame(videos, name, every):
    frames = list(read_frames(videos[name], name, every))
    assert [frame.number for frame in frames] == [shown(frame) for frame in frames] == list(range(0, FRAMES, every))


@pytest.mark.parametrize("every", [0, -1])
def test_a_step_that_is_none_is_refused(videos, every):
    with pytest.raises(InputError, match="the step must be 1 or more"):
        list(read_frames(videos["a.avi"], "a", every))


def test_frames_are_decoded_when_they_are_asked_for(videos, monkeypatch):
    decoded = []

    class Counting:
        def __init__(self, *arguments):
            self.video = original(*arguments)

        def grab(self):
            decoded.append(1)
            return self.video.grab()

        def __getattr__(self, name):
            return getattr(self.video, name)

    original = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", Counting)
    frames = list(itertools.islice(read_frames(videos["a.avi"], "a"), 3))
    assert len(frames) == 3
    assert len(decoded) <= 4


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("name", ["a.avi", "d.mkv", "F.AVI"])
def test_a_video_that_breaks_off_gives_the_frames_before(videos, tmp_path, name, every):
    path = tmp_path / name
    content = videos[name].read_bytes()
    start = max(content.find(b"movi"), 0)  # an AVI's header is long
    path.write_bytes(content[: (start + len(content)) // 2])
    frames, error = frames_before_error(path, every)
    last = frames[-1].number
    assert 3 <= last < FRAMES - 3
    assert [frame.number for frame in frames] == [shown(frame) for frame in frames] == list(range(0, last + 1, every))
    broken_after = int(error.split("breaks off after frame ")[1].split()[0])
    assert last <= broken_after < last + every
    assert f"its header promises {FRAMES} frames" in error


def test_a_frame_that_is_there_in_part_is_not_given(videos, tmp_path):
    """MJPG cut in the middle of a frame: the decoder would fill the rest up."""
    content = videos["a.avi"].read_bytes()
    starts = [found.start() for found in re.finditer(b"00dc", content)]
    path = tmp_path / "a.avi"
    path.write_bytes(content[: (starts[9] + starts[10]) // 2])
    frames, error = frames_before_error(path)
    whole = list(read_frames(videos["a.avi"], "a"))
    assert 8 <= len(frames) <= 9
    for frame, expected in zip(frames, whole, strict=False):
        np.testing.assert_array_equal(frame.image, expected.image)
    assert "breaks off" in error


def test_an_mp4_without_its_table_is_refused(videos, tmp_path):
    path = tmp_path / "b.mp4"
    content = videos["b.mp4"].read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"b\.mp4: it is no video that can be opened.*copy it again"):
        list(read_frames(path, "b"))


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("content", [b"", b"no video", bytes(5000), b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n"])
def test_what_is_no_video_is_refused(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="a.*: it is no video that can be opened"):
        list(read_frames(path, "a"))


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "a.avi"
    samples = np.zeros(8000, "<i2").tobytes()
    header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"\x01\x00\x01\x00" + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    path.write_bytes(header + b"data" + len(samples).to_bytes(4, "little") + samples)
    with pytest.raises(InputError, match="it is no video that can be opened"):
        list(read_frames(path, "a"))


def test_a_missing_video_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(read_frames(tmp_path / "a.avi", "a"))
    (tmp_path / "b.avi").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        list(read_frames(tmp_path / "b.avi", "b"))


def test_a_name_that_looks_like_an_address(videos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "http:x %03d.avi"
    path.write_bytes(videos["a.avi"].read_bytes())
    assert len(list(read_frames(path.relative_to(tmp_path), "a"))) == FRAMES


def test_damage_in_the_middle_ends_with_an_error_or_with_all_frames(videos, tmp_path):
    random = np.random.default_rng(2)
    for name in ("a.avi", "b.mp4", "d.mkv"):
        content = bytearray(videos[name].read_bytes())
        middle = len(content) // 2
        content[middle : middle + 1500] = random.integers(0, 256, 1500, dtype=np.uint8).tobytes()
        path = tmp_path / name
        path.write_bytes(content)
        frames, error = frames_before_error(path)
        assert len(frames) == FRAMES or error is not None


def test_the_terminal_stays_clean(videos, tmp_path):
    paths = []
    for name in ("a.avi", "b.mp4", "d.mkv", "F.AVI"):
        content = videos[name].read_bytes()
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content[: len(content) // 2])
    code = (
        "import sys; from pathlib import Path; from fetal_seg.errors import InputError\n"
        "from fetal_seg.cli.quiet import quiet_libraries; from fetal_seg.images.reader import read_frames\n"
        "quiet_libraries()\n"
        "for path in sys.argv[1:]:\n"
        "    try: list(read_frames(Path(path), 'a'))\n"
        "    except InputError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("refused\n" * 4, "")
