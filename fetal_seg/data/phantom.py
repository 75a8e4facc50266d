"""Phantoms: simulated images in HC18's layout, so that everything that runs on HC18 runs without it.

A set is a function of its seed, byte for byte, and an image does not depend on how many there are. Sizes, shapes and
places of the heads follow what was measured on HC18's training set.
"""

import hashlib
import io
import itertools
import json
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from fetal_seg.data import hc18
from fetal_seg.data.records import Record
from fetal_seg.data.simulation import simulate
from fetal_seg.ellipse import Ellipse
from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.files import whole_file, whole_folder, write_text
from fetal_seg.imageio import Grey
from fetal_seg.progress import track

FORMAT = 1  # raise it when the same seed gives another set
KEY_FILE = "phantoms.json"

# HC18's head circumferences, mm, at 0, 10, ... 100 %.
CIRCUMFERENCES = (44.3, 77.6, 105.3, 163.1, 169.7, 174.1, 178.0, 184.1, 213.5, 280.3, 346.4)
IMAGES_OF_EXAMINATION = (0.797, 0.175, 0.021, 0.007)  # shares of examinations with 1, 2, 3 and 4 images
LINE_WIDTH = 2.54  # of HC18's outlines, px
PIXEL_SIZES_MM = (0.05, 0.39)
MARGIN = 4  # between head and frame, px


@dataclass(frozen=True)
class Phantom:
    """One image to be simulated: its file name, pixel size, frame (height, width) and truth, and its random seeds."""

    name: str
    pixel_size_mm: float
    shape: tuple[int, int]
    ellipse: Ellipse
    look: tuple[int, ...]  # which head and scanner, the same for all images of an examination
    speckle: tuple[int, ...]

    @property
    def circumference_mm(self) -> float:
        """Head circumference, mm."""
        return self.ellipse.circumference * self.pixel_size_mm

    def image(self) -> Grey:
        """The image (height, width), 0 to 255."""
        look, speckle = np.random.default_rng(self.look), np.random.default_rng(self.speckle)
        return simulate(self.ellipse, self.shape, self.pixel_size_mm, look, speckle)

    def annotation(self) -> Grey:
        """The outline (height, width), 0 or 255, as thick as HC18's and symmetric about the true line."""
        a, b = self.ellipse.semi_axis_a, self.ellipse.semi_axis_b
        outer, inner = (
            replace(self.ellipse, semi_axis_a=a + shift, semi_axis_b=b + shift).rasterise(*self.shape)
            for shift in (LINE_WIDTH / 2, -LINE_WIDTH / 2)
        )
        return (outer - inner) * np.uint8(255)


@dataclass(frozen=True)
class _Head:
    """What the images of an examination share: the head's size, and where and how it lies about."""

    semi_axis_mm: float  # the long one
    axis_ratio: float  # short to long
    angle_rad: float
    center: tuple[float, float]  # parts of the frame's width and height
    pixel_size_mm: float


def load(root: Path | None, cache_dir: Path, *, images: int, test_images: int, seed: int) -> list[Record]:
    """The training records of a set of phantoms, sorted by name; the set is written unless it is there.

    Args:
        root: folder for the set; None for one in `cache_dir` that is named after what is asked for.
        cache_dir: for extracted files.
        images: number of training images.
        test_images: number of test images, which have no annotation.
        seed: decides all images; 0 or more.

    Raises:
        InputError: `root` holds other files or another set, or cannot be written.
    """
    folder = folder_of(root, cache_dir, images=images, test_images=test_images, seed=seed)
    key = _key(images, test_images, seed)
    if not _is_there(folder, key):
        try:
            with whole_folder(folder) as temporary:
                write_phantoms(temporary, train=images, test=test_images, seed=seed)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written ({error.strerror or error}); phantoms need a folder of their own with "
                "room for 0.4 MB an image; set another data.root"
            ) from error
    return hc18.load(folder, cache_dir, download=False)


def folder_of(root: Path | None, cache_dir: Path, *, images: int, test_images: int, seed: int) -> Path:
    """The folder where `load` puts the archives and CSV files of a set."""
    key = json.dumps(_key(images, test_images, seed), sort_keys=True)
    return root or cache_dir / "phantoms" / hashlib.sha256(key.encode()).hexdigest()[:16]


def write_phantoms(folder: Path, *, train: int, test: int, seed: int) -> None:
    """Write a set in HC18's layout: two archives and two CSV files, and last ``phantoms.json``, which tells its key.

    Args:
        folder: where to; created if need be. Files of these names are replaced.
        train: number of training images.
        test: number of test images, which have no annotation.
        seed: decides all images; 0 or more.
    """
    for part, count in ((hc18.TEST, test), (hc18.TRAINING, train)):
        phantoms = sorted(itertools.islice(_draw(seed, part.name), count), key=lambda phantom: phantom.name)
        columns = ["filename", "pixel size(mm)"] + ["head circumference (mm)"] * part.is_annotated
        rows = [
            [p.name, f"{p.pixel_size_mm:.12g}"] + [f"{p.circumference_mm:.2f}"] * part.is_annotated for p in phantoms
        ]
        with whole_file(folder / f"{part.name}.zip") as path, zipfile.ZipFile(path, "w") as archive:
            for phantom in track(phantoms, f"simulating {part.name}", count):
                _add(archive, f"{part.name}/{phantom.name}", phantom.image())
                if part.is_annotated:
                    _add(archive, f"{part.name}/{phantom.name[:-4]}{hc18.ANNOTATION}.png", phantom.annotation())
        write_text(folder / part.csv, "".join(f"{','.join(row)}\r\n" for row in [columns, *rows]))
    write_text(folder / KEY_FILE, json.dumps(_key(train, test, seed)) + "\n")


def _key(images: int, test_images: int, seed: int) -> dict[str, int]:
    return {"format": FORMAT, "images": images, "test_images": test_images, "seed": seed}


def _is_there(folder: Path, key: dict[str, int]) -> bool:
    """Whether the folder holds the set of this key.

    Raises:
        InputError: it holds something else.
    """
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    try:
        found = json.loads((folder / KEY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if found == key:
        return True
    if names:
        what = f"the phantoms {found}" if found else enumerate_names(names)
        raise InputError(
            f"{folder} holds {what}, but {key} was asked for; nothing is overwritten: "
            "ask for what is there, remove the folder, or set another data.root"
        )
    return False


def _draw(seed: int, part: str) -> Iterator[Phantom]:
    """The endless row of a part's phantoms."""
    of_part = (seed, (hc18.TRAINING.name, hc18.TEST.name).index(part))
    start = np.random.default_rng((*of_part, 0, 0)).random()
    for examination in itertools.count():
        # Multiples of the golden ratio spread evenly, however many there are: small sets have all sizes too.
        rank = (start + examination * (math.sqrt(5) - 1) / 2) % 1
        circumference_mm = float(np.interp(10 * rank, range(11), CIRCUMFERENCES))
        of_head = (*of_part, examination)
        rng = np.random.default_rng((*of_head, 1))
        head, shape = _head(circumference_mm, rng), _shape(rng)
        for image in range(int(rng.choice(4, p=IMAGES_OF_EXAMINATION)) + 1):
            name = f"{examination:03d}_{image + 1 if image else ''}HC.png"
            of_image = (*of_head, 3 + image)
            pixel_size_mm, ellipse = _placed(head, shape, image > 0, np.random.default_rng(of_image))
            yield Phantom(name, pixel_size_mm, shape, ellipse, look=(*of_head, 2), speckle=of_image)


def _head(circumference_mm: float, rng: np.random.Generator) -> _Head:
    """A head of this size, as the heads of its trimester are in HC18: means and standard deviations measured there."""
    if circumference_mm < 98:
        ratio, length, place, angle = (0.827, 0.046), (169, 44, 90, 258), (0.504, 0.074, 0.516, 0.091), 46.0
    elif circumference_mm < 258:
        ratio, length, place, angle = (0.786, 0.042), (236, 42, 90, 330), (0.490, 0.049, 0.499, 0.052), 5.0
    else:
        ratio, length, place, angle = (0.798, 0.043), (234, 37, 150, 318), (0.490, 0.032, 0.495, 0.052), 6.0
    if rng.random() < 0.25:  # most of the later heads lie flat, the rest anyhow
        angle = max(angle, 30)
    axis_ratio = float(np.clip(rng.normal(*ratio), 0.67, 0.94))
    semi_axis_mm = circumference_mm / Ellipse(0, 0, 1, axis_ratio, 0).circumference
    semi_axis_px = float(np.clip(rng.normal(*length[:2]), *length[2:]))
    return _Head(
        semi_axis_mm=semi_axis_mm,
        axis_ratio=axis_ratio,
        angle_rad=math.radians(rng.normal(0, angle)),
        center=(rng.normal(*place[:2]), rng.normal(*place[2:])),
        pixel_size_mm=float(np.clip(semi_axis_mm / semi_axis_px, *PIXEL_SIZES_MM)),
    )


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    odd = int(rng.integers(541, 564)), int(rng.integers(738, 800))
    return odd if rng.random() < 0.03 else (540, 800)


def _placed(head: _Head, shape: tuple[int, int], is_moved: bool, rng: np.random.Generator) -> tuple[float, Ellipse]:
    """The pixel size, and the head in a frame (height, width): whole, and a little elsewhere where `is_moved`."""
    height, width = shape
    moved = float(is_moved) * rng.normal(size=5)
    semi_axis_mm = head.semi_axis_mm * (1 + 0.006 * np.clip(moved[0], -2, 2))
    unit = Ellipse(0, 0, 1, head.axis_ratio, head.angle_rad + 0.07 * moved[1])
    half_width, half_height = unit.half_extent
    longest_px = min(((width - 1) / 2 - MARGIN) / half_width, ((height - 1) / 2 - MARGIN) / half_height)
    pixel_size_mm = max(head.pixel_size_mm * math.exp(0.02 * moved[2]), semi_axis_mm / longest_px, PIXEL_SIZES_MM[0])
    pixel_size_mm = float(f"{min(pixel_size_mm, PIXEL_SIZES_MM[1]):.12g}")  # as the CSV has it
    a = semi_axis_mm / pixel_size_mm
    (x, half_x), (y, half_y) = (
        ((size - 1) * (center + 0.015 * shift), half * a + MARGIN)
        for size, center, shift, half in zip((width, height), head.center, moved[3:], unit.half_extent, strict=True)
    )
    x, y = (min(max(c, half), size - 1 - half) for c, half, size in ((x, half_x, width), (y, half_y, height)))
    return pixel_size_mm, Ellipse(x, y, a, a * head.axis_ratio, unit.angle_rad)


def _add(archive: zipfile.ZipFile, name: str, pixels: Grey) -> None:
    """Add a PNG file whose entry does not tell when or where it was made."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    entry = zipfile.ZipInfo(name)  # of 1980, the first year that an archive knows
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    archive.writestr(entry, buffer.getvalue())
