"""Writes phantom sets: simulated images of fetal heads in HC18's layout."""

import csv
import io
import math
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from fetal_seg.data.phantom.anatomy import Scene
from fetal_seg.data.phantom.simulation import Beams, add_overlay, envelope
from fetal_seg.data.pixel_sizes import NAME, PIXEL_SIZE
from fetal_seg.data.sources import hc18
from fetal_seg.errors import InputError
from fetal_seg.files import whole_file, write_text
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.progress import track

VERSION = 1  # of the images: sets of an older version are written anew
OUTLINE_PX = 2.54  # width of HC18's outlines
MARK = b"fetal_seg phantoms"  # with it the comments of the archives begin
_MARGIN_PX = 4  # between a head and the frame, so that the outline is whole


def write_phantoms(folder: Path, *, train: int, test: int, seed: int) -> None:
    """Write a phantom set into `folder`, with the names and columns of HC18: two zip archives and two CSV files.

    The bytes are a function of the arguments; an image depends on `seed`, its part and its number alone. About a
    fifth of the annotated examinations have further images of the same head (``010_2HC.png``), as in HC18.

    Args:
        train: number of images with an annotation, any.
        test: number of images without, any; each is an examination of its own, as in HC18.

    Raises:
        InputError: a number is negative.
    """
    if min(train, test, seed) < 0:
        raise InputError(f"phantoms: train={train}, test={test}, seed={seed}; none may be negative")
    comment = comment_of(train, test, seed)
    _write_part(folder, hc18.TEST, _samples(seed, 1, test), test, comment)
    _write_part(folder, hc18.TRAINING, _samples(seed, 0, train), train, comment)


def comment_of(train: int, test: int, seed: int) -> bytes:
    """What the archives of a set say of themselves."""
    return MARK + f", version {VERSION}: train={train}, test={test}, seed={seed}".encode()


def simulate(
    ellipse: Ellipse,
    shape: tuple[int, int],
    pixel_size_mm: float,
    rng: np.random.Generator,
    speckle: np.random.Generator | None = None,
) -> Grey:
    """A B-mode image (height, width), 0 to 255, of a head whose outer skull boundary is `ellipse`.

    Source of the model: R. F. Wagner, S. W. Smith, J. M. Sandrik and H. Lopez, Statistics of speckle in ultrasound
    B-scans, IEEE Trans. Sonics Ultrason. 30 (1983).

    Args:
        ellipse: outer boundary of the skull, px; it lies in the frame.
        shape: height and width, px.
        pixel_size_mm: side of a pixel, mm; with the ellipse it gives the head's age, and so its anatomy.
        rng: decides the probe, the anatomy and the surroundings.
        speckle: decides the scatterers; default `rng`. Sister images share the seed of `rng` and differ in this.
    """
    circumference_mm = ellipse.circumference * pixel_size_mm
    age = float(np.clip((circumference_mm - 60) / 240, 0, 1))  # 0 at 60 mm, 1 at 300 mm
    early = 1 / (1 + math.exp((circumference_mm - 108) / 9))  # 1 in the first trimester, 0 well after it
    blur = 2.6 * min(1, 0.128 / pixel_size_mm) ** 0.5 * rng.uniform(0.85, 1.15)  # px, as HC18's speckle has it
    beams = Beams.sample(ellipse, shape, pixel_size_mm, blur, rng)
    scene = Scene(beams, ellipse, rng)
    scene.add_surroundings(early, age)
    scene.add_skull((0.4 + 0.008 * circumference_mm) / pixel_size_mm, age)
    scene.add_brain(early, age)
    gain = scene.gain()
    corners = rng.random(6).tolist()
    white_db, range_db, looks = 29.5 + 3 * early + rng.normal(0, 2), rng.uniform(60, 72), int(rng.integers(2, 5))
    echoes = [envelope(scene.scatter * gain, scene.mirror * gain, (2, 2), speckle or rng) for _ in range(looks)]
    sound = np.mean(echoes, axis=0) + 1e-3  # several looks: spatial compounding
    level = np.clip(1 + (20 * np.log10(sound) - white_db) / range_db, 0, 1)
    grey = (255 * level**2).astype(np.float32)  # the square is the scanner's grey map
    return add_overlay(beams.scan_convert(grey, shape), corners)


@dataclass(frozen=True)
class _Sample:
    """One image before it is simulated."""

    number: int  # of the examination
    sister: int  # 0 for its first image
    part: int
    seed: int
    ellipse: Ellipse
    shape: tuple[int, int]
    pixel_size_mm: float

    @property
    def stem(self) -> str:
        """File name without its suffix, as HC18 has it: ``010_HC``, ``010_2HC``."""
        return f"{self.number:03d}_{self.sister + 1 if self.sister else ''}HC"

    def image(self) -> Grey:
        """The simulated image."""
        key = (self.seed, self.part, self.number)
        return simulate(self.ellipse, self.shape, self.pixel_size_mm, _rng(*key, 1, 0), _rng(*key, 2, self.sister))

    def outline(self) -> Grey:
        """The annotation: 255 within half of the outline's width of the ellipse, else 0."""
        outer, inner = (
            replace(self.ellipse, semi_axis_a=self.ellipse.semi_axis_a + d, semi_axis_b=self.ellipse.semi_axis_b + d)
            for d in (OUTLINE_PX / 2, -OUTLINE_PX / 2)
        )
        return 255 * (outer.rasterise(*self.shape) - inner.rasterise(*self.shape))


def _samples(seed: int, part: int, count: int) -> Iterator[_Sample]:
    """The first `count` images of a part, sisters beside each other."""
    number = 0
    while count > 0:
        rng = _rng(seed, part, number, 3, 0)
        sisters = 1 if part else 1 + int(rng.choice(4, p=(0.8, 0.17, 0.02, 0.01)))
        samples = [_sample(seed, part, number, sister) for sister in range(min(sisters, count))]
        yield from sorted(samples, key=lambda sample: sample.stem)  # HC18's CSV has 010_2HC before 010_HC
        count, number = count - len(samples), number + 1


def _sample(seed: int, part: int, number: int, sister: int) -> _Sample:
    """Head, frame and pixel size of an image; a sister's differ a little from those of the first."""
    rng = _rng(seed, part, number, 4, 0)
    shape = (540, 800) if rng.random() > 0.024 else (int(rng.integers(541, 564)), int(rng.integers(738, 800)))
    head, pixel_size_mm = _sample_head(rng)
    x, y = shape[1] * rng.normal(0.491, 0.052), shape[0] * rng.normal(0.5, 0.062)
    if sister:
        rng = _rng(seed, part, number, 4, sister)
        zoom, turn = 1 + float(np.clip(rng.normal(0, 0.008), -0.015, 0.015)), rng.normal(0, 0.05)
        a, b = zoom * head.semi_axis_a, zoom * head.semi_axis_b * rng.uniform(0.99, 1.0)
        head = Ellipse(0, 0, a, b, head.angle_rad + turn)
        x, y = x + rng.normal(0, 10), y + rng.normal(0, 10)
    return _Sample(number, sister, part, seed, _inside(head, x, y, shape), shape, pixel_size_mm)


def _sample_head(rng: np.random.Generator) -> tuple[Ellipse, float]:
    """An ellipse about (0, 0), px, and a pixel size, mm, that are distributed as HC18's, trimester by trimester."""
    trimester = rng.choice(3, p=(0.17, 0.69, 0.14))
    middle = rng.normal(175, 11) if rng.random() < 0.7 else rng.uniform(98, 258)
    mm = (rng.triangular(45, 74, 98), np.clip(middle, 98, 257.9), rng.triangular(258, 270, 340))[trimester]
    aspect = np.clip(rng.normal((0.83, 0.788, 0.797)[trimester], 0.043), 0.68, 0.94)
    a = np.clip(rng.normal((170, 238, 234)[trimester], (42, 42, 36)[trimester]), 95, 320)
    spread = (0.75, 0.10, 0.15)[trimester] if rng.random() < 0.8 else (0.75, 0.45, 0.6)[trimester]
    head = Ellipse(0, 0, a, a * aspect, rng.normal(0, spread))
    extent = np.divide(head.half_extent, (363, 264))  # of half the smallest frame
    pixel_size_mm = float(np.clip(mm / head.circumference * max(1, *extent), 0.0495, 0.39))
    pixel_size_mm = float(f"{pixel_size_mm:.12g}")  # as the CSV has it
    scale = mm / (head.circumference * pixel_size_mm)
    return head.transform(np.array([[scale, 0, 0], [0, scale, 0]])), pixel_size_mm


def _inside(head: Ellipse, x: float, y: float, shape: tuple[int, int]) -> Ellipse:
    """The head at (x, y), or as near to it as the frame allows; made smaller if it is too large."""
    half = np.array(head.half_extent)
    size = np.array(shape[::-1]) - 1
    scale = min(1.0, *((size / 2 - _MARGIN_PX) / half))
    x, y = np.clip((x, y), scale * half + _MARGIN_PX, size - scale * half - _MARGIN_PX)
    return head.transform(np.array([[scale, 0, x], [0, scale, y]]))


def _write_part(folder: Path, part: hc18.Part, samples: Iterator[_Sample], count: int, comment: bytes) -> None:
    """Write a part's CSV file, then its archive."""
    annotated = part.is_annotated
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow([NAME, PIXEL_SIZE, *(["head circumference (mm)"] if annotated else [])])
    with whole_file(folder / part.archive) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive, _threads() as pool:
            archive.comment = comment
            simulated = pool.map(lambda sample: (sample, sample.image()), samples)
            for sample, image in track(simulated, f"simulating {part.name}", count):
                circumference = [f"{sample.ellipse.circumference * sample.pixel_size_mm:.2f}"] if annotated else []
                rows.writerow([f"{sample.stem}.png", f"{sample.pixel_size_mm:.12g}", *circumference])
                _add(archive, f"{part.name}/{sample.stem}.png", image)
                if annotated:
                    _add(archive, f"{part.name}/{sample.stem}{hc18.ANNOTATION}.png", sample.outline())
        write_text(folder / part.csv, text.getvalue())


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that end with what they have begun, also where a signal ends the caller."""
    pool = ThreadPoolExecutor()
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _add(archive: zipfile.ZipFile, name: str, pixels: Grey) -> None:
    """Add an image with a fixed time stamp; PNG is compressed already."""
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr = 3, 0o644 << 16
    archive.writestr(member, cv2.imencode(".png", pixels)[1].tobytes())


def _rng(*key: int) -> np.random.Generator:
    """Random numbers of (seed, part, examination, purpose, image): always all five, since zeros at the end are lost."""
    return np.random.default_rng(key)
