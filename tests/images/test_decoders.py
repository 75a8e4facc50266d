import contextlib
import os
import signal

import numpy as np
import pytest

from fetal_seg.errors import InputError
from fetal_seg.images import decoders as module
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.decoding import Request
from fetal_seg.images.grey import write_image
from tests.videos import write_video


@pytest.fixture(scope="module")
def decoders():
    with Decoders(count=2) as started:
        yield started


@pytest.fixture
def picture(tmp_path):
    write_image(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8))
    return tmp_path / "a.png"


def test_a_file_that_makes_its_decoder_hang_costs_itself_alone(picture, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with Decoders(count=2) as decoders:
        stopped = {decoder._process.pid for decoder in decoders._all}
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)  # whatever is asked for, there is no answer
        with pytest.raises(InputError, match="cannot be decoded: decoding it takes longer than 0.5 s; it is damaged"):
            list(decoders.frames(Request(picture, "a.png")))
        monkeypatch.setattr(module, "PATIENCE", 30.0)
        for pid in stopped & {decoder._process.pid for decoder in decoders._all}:
            os.kill(pid, signal.SIGCONT)
        for _ in decoders._all:
            assert len(list(decoders.frames(Request(picture, "a.png")))) == 1
        assert len(stopped & {decoder._process.pid for decoder in decoders._all}) == 1  # the other was replaced


def test_a_file_that_makes_its_decoder_crash_costs_itself_alone(picture, monkeypatch):
    with Decoders(count=2) as decoders:
        with monkeypatch.context() as patch:
            for decoder in decoders._all:
                patch.setattr(decoder, "_ask", lambda request, of=decoder: of._process.send_signal(signal.SIGABRT))
            with pytest.raises(InputError, match=r"cannot be decoded: it made its decoder crash \(SIGABRT\); it is"):
                list(decoders.frames(Request(picture, "a.png")))
        for _ in decoders._all:
            assert len(list(decoders.frames(Request(picture, "a.png")))) == 1


def test_a_process_that_died_between_two_files_is_replaced(picture):
    with Decoders(count=1) as decoders:
        for decoder in decoders._all:
            decoder._process.kill()
            decoder._process.wait()
        assert len(list(decoders.frames(Request(picture, "a.png")))) == 1


def test_they_end_with_their_parent(picture):
    decoders = Decoders(count=2)
    processes = [decoder._process for decoder in decoders._all]
    for decoder in decoders._all:
        decoder._connection.close()  # as the parent's death does
    assert [process.wait(20) for process in processes] == [0, 0]


def test_what_decoders_print_goes_to_the_log(tmp_path, capfd):
    video, log = write_video(tmp_path / "a.mp4", "mp4v"), tmp_path / "log.txt"
    content = bytearray(video.read_bytes())
    middle = slice(len(content) // 4, len(content) // 2)
    content[middle] = np.random.default_rng(0).bytes(middle.stop - middle.start)
    video.write_bytes(content)
    with Decoders(log) as decoders, contextlib.suppress(InputError):
        list(decoders.frames(Request(video, "a.mp4")))
    assert "damaged" in log.read_text()
    assert capfd.readouterr() == ("", "")
