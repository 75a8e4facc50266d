"""Frames of AVI, MP4 and other videos in grey, decoded one after the other."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from fetal_seg.config.registries import READERS
from fetal_seg.errors import InputError
from fetal_seg.geometry.arrays import Grey
from fetal_seg.images.grey import check_size
from fetal_seg.images.reader import Frame

ESTIMATES = (".mkv",)  # these tell their duration; OpenCV makes a number of frames of it


@READERS.register("video")
class VideoReader:
    """Reads videos by OpenCV and FFmpeg."""

    suffixes = (".avi", ".mp4", ".mov", ".mkv", ".m4v")

    def accepts(self, path: Path) -> bool:
        """By the suffix alone: nothing is opened."""
        return path.suffix.lower() in self.suffixes

    def read(self, path: Path, name: str, every: int) -> Iterator[Frame]:
        """Every `every`-th frame.

        A frame is decoded when it is asked for. The last one before a break is dropped: it may be there in part,
        which decoders fill up without a word.

        Raises:
            InputError: the file is missing, is no video, holds no frame, or breaks off; the frames before the break
                are given first.
        """
        with _opened(path) as video:
            expected = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
            count = 0
            waiting: Frame | None = None
            while video.grab():
                if waiting:
                    yield waiting
                waiting = Frame(name, count, _retrieved(video, path)) if count % every == 0 else None
                count += 1
        if count == 0:
            raise InputError(
                f"{path}: no frame of the video can be decoded; copy it again, or convert it to MP4 (H.264)"
            )
        if count < _fewest(path, expected):
            good = f"after frame {count - 2} " if count > 1 else "at its first frame "
            raise InputError(
                f"{path}: the video breaks off {good}(the first is 0; its header promises {expected} frames); the "
                "frames before were read; copy it again"
            )
        if waiting:
            yield waiting


def _fewest(path: Path, expected: int) -> int:
    """How many frames a whole video has at least."""
    return int(0.95 * expected) if path.suffix.lower() in ESTIMATES else expected


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    """The video, open for reading, without OpenCV's complaints in the terminal."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the name")
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        # an absolute path: "a:b.avi" would be taken for an address
        video = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not video.isOpened():
            raise InputError(
                f"{path}: it is no video that can be opened; it must be a whole AVI, MP4, MOV or MKV file; copy it "
                "again, or convert it to MP4 (H.264)"
            )
        yield video
    finally:
        video.release()


def _retrieved(video: cv2.VideoCapture, path: Path) -> Grey:
    is_read, image = video.retrieve()
    if not is_read:
        raise InputError(f"{path}: a frame of the video cannot be decoded; copy it again, or convert it to MP4 (H.264)")
    check_size(path, image.shape[1], image.shape[0])
    return np.asarray(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
