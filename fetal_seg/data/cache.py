"""Each image is decoded once; training reads memory-mapped arrays at the network's size."""

import hashlib
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from fetal_seg.data.records import Record
from fetal_seg.errors import InputError
from fetal_seg.files import whole_folder
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.progress import track

logger = logging.getLogger(__name__)

CACHE_FORMAT = 1  # raise it when what is stored, or how images are scaled, changes


@dataclass(frozen=True)
class ImageCache:
    """Images, masks and truths of records, in the records' order, on disk.

    Only the path is held, so that an instance is small to send to worker processes, and each
    read is of one image alone, so that memory does not grow with the number of images.

    Attributes:
        folder: holds ``images.npy`` and ``masks.npy`` (n, height, width) uint8, ``ellipses.npy`` (n, 5),
            whose rows are NaN where there is no head.
        fingerprint: a hash of the names and the content of all images and annotations.
    """

    folder: Path
    fingerprint: str

    def image(self, index: int) -> Grey:
        """The image (height, width) at the network's size, 0 to 255."""
        return self._row("images.npy", index)

    def mask(self, index: int) -> Grey:
        """How much of each pixel the true ellipse covers, (height, width), 0 to 255."""
        return self._row("masks.npy", index)

    def ellipses(self) -> list[Ellipse | None]:
        """The true ellipses, in pixels of the original images; None where there is no head."""
        rows = np.load(self.folder / "ellipses.npy")
        return [None if np.isnan(row).any() else Ellipse(*map(float, row)) for row in rows]

    def _row(self, name: str, index: int) -> Grey:
        (height, width), first = _layout(self.folder / name)
        offset = first + index * height * width
        return np.fromfile(self.folder / name, np.uint8, height * width, offset=offset).reshape(height, width)


@cache
def _layout(file: Path) -> tuple[tuple[int, int], int]:
    """Height and width of the images in an array's file, and where the first begins; a sixth of a millisecond."""
    stored = np.load(file, mmap_mode="r")
    return stored.shape[1:], stored.offset


def build_cache(records: Sequence[Record], letterbox: Letterbox, cache_dir: Path) -> ImageCache:
    """Decode records into `cache_dir`, unless the same content is there at the same size.

    The key is the content of every file, so a changed image or annotation is decoded again. Of
    processes that need it at once, one decodes, and the others wait for it.

    Raises:
        InputError: images or annotations that cannot be used, all named at once.
    """
    fingerprint = content_fingerprint(records)
    key = hashlib.sha256(
        json.dumps([CACHE_FORMAT, fingerprint, letterbox.height, letterbox.width]).encode()
    ).hexdigest()
    folder = cache_dir / "images" / key[:24]
    if not folder.is_dir():
        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(cache_dir / f".{folder.name}.lock"):
            if not folder.is_dir():
                with whole_folder(folder) as temporary:
                    _fill(temporary, records, letterbox)
                logger.info("decoded %d images into %s", len(records), folder)
    return ImageCache(folder, fingerprint)


def content_fingerprint(records: Sequence[Record]) -> str:
    """A hash of names, examinations, pixel sizes and the content of all files."""

    def digest(record: Record) -> bytes:
        content = hashlib.blake2b(json.dumps([record.name, record.examination, record.pixel_size_mm]).encode())
        for path in (record.image, record.annotation):
            content.update(b"-" if path is None else hashlib.blake2b(_read(path)).digest())
        if not record.shows_head:
            content.update(b"no head")
        return content.digest()

    with ThreadPoolExecutor() as pool:
        return hashlib.blake2b(b"".join(pool.map(digest, records)), digest_size=16).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from error


def _fill(folder: Path, records: Sequence[Record], letterbox: Letterbox) -> None:
    shape = (len(records), letterbox.height, letterbox.width)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, shape)
    masks = np.lib.format.open_memmap(folder / "masks.npy", "w+", np.uint8, shape)
    ellipses: NDArray[np.float64] = np.zeros((len(records), 5))
    problems: list[str] = []

    def decode(index: int) -> None:
        try:
            image, ellipse = records[index].read_pair()
        except InputError as error:
            problems.append(str(error))
            return
        images[index] = letterbox.apply(image)
        if ellipse is None:  # its mask is zeros, as the file begins
            ellipses[index] = np.nan
            return
        scaled = ellipse.transform(letterbox.to_network(*image.shape))
        masks[index] = np.rint(255 * scaled.coverage(letterbox.height, letterbox.width))
        ellipses[index] = astuple(ellipse)

    with ThreadPoolExecutor() as pool:
        for _ in track(pool.map(decode, range(len(records))), "decoding images", len(records)):
            pass
    if problems:
        rest = f" (and {len(problems) - 3} more such problems)" if len(problems) > 3 else ""
        raise InputError("; ".join(sorted(problems)[:3]) + rest)
    images.flush()
    masks.flush()
    np.save(folder / "ellipses.npy", ellipses)
