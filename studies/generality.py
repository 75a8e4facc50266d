"""How accuracy and flags change where images are not as HC18's; for docs/accuracy.md.

python -m studies.generality [--ckpt CHECKPOINT] [--root HC18_FOLDER] [--limit N]

Each change is made to the checkpoint's validation images at their own size, with one strength for all.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.data.augmentation import artefacts
from fetal_seg.data.records import Record, read_ahead
from fetal_seg.evaluation.clustered_statistics import describe
from fetal_seg.evaluation.scoring import score
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Flag
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED
from studies.figures import with_interval
from tools import add_root
from tools.release_weights import own_records

Changed = tuple[Grey, Ellipse, float]  # image, truth in its pixels, and the width of an old pixel in new ones
Change = Callable[[Grey, Ellipse, np.random.Generator], Changed]


def _grey(change: Callable[[NDArray[np.float32]], Any]) -> Change:
    """A change of grey values alone; they are 0 to 1 in it."""

    def changed(image: Grey, truth: Ellipse, rng: np.random.Generator) -> Changed:
        values = np.clip(change(image.astype(np.float32) / 255), 0, 1)
        return np.rint(255 * values).astype(np.uint8), truth, 1.0

    return changed


def _artefact(change: Callable[[Grey, np.random.Generator], Grey]) -> Change:
    return lambda image, truth, rng: (change(image, rng), truth, 1.0)


def _warp(image: Grey, truth: Ellipse, matrix: NDArray[np.float64], size: tuple[int, int], scale: float) -> Changed:
    """Transform an image by a matrix (2, 3) from its pixels to those of an image of `size` (width, height)."""
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(image, matrix, size, flags=smooth), truth.transform(matrix), scale


def _zoom_out(image: Grey, truth: Ellipse, rng: np.random.Generator) -> Changed:
    """The picture at 0.6 of its size, in the middle of a black screen: greater depth."""
    height, width = image.shape
    matrix = np.array([[0.6, 0, 0.2 * width], [0, 0.6, 0.2 * height]])
    return _warp(cv2.GaussianBlur(image, (0, 0), 0.6), truth, matrix, (width, height), 0.6)


def _crop(aspect: float) -> Change:
    """The part around the head, of this ratio of width to height, with a margin of a tenth of the head."""

    def changed(image: Grey, truth: Ellipse, rng: np.random.Generator) -> Changed:
        margin = 1.1 * truth.semi_axis_a
        half_x, half_y = margin * max(aspect, 1.0), margin * max(1 / aspect, 1.0)
        left, top = (round(truth.center_x - half_x), round(truth.center_y - half_y))
        matrix = np.array([[1.0, 0, -left], [0, 1.0, -top]])
        return _warp(image, truth, matrix, (round(2 * half_x), round(2 * half_y)), 1.0)

    return changed


def _turned(image: Grey, truth: Ellipse, rng: np.random.Generator) -> Changed:
    matrix = np.array([[0.0, -1, image.shape[0] - 1], [1, 0, 0]])
    return _warp(image, truth, matrix, image.shape, 1.0)


def _jpeg(image: Grey, rng: np.random.Generator) -> Grey:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], 0), np.uint8)


CHANGES: dict[str, Change] = {
    "as they are": _grey(lambda image: image),
    "gain +6 dB": _grey(lambda image: image * 2),
    "gain -10 dB": _grey(lambda image: image * 0.32),
    "gain uneven": _artefact(artefacts.change_gain),
    "gamma 0.5": _grey(lambda image: image**0.5),
    "gamma 2": _grey(lambda image: image**2),
    "dynamic range halved, raised": _grey(lambda image: 0.25 + 0.5 * image),
    "blur, sigma 3 px": _grey(lambda image: cv2.GaussianBlur(image, (0, 0), 3)),
    "blur, sigma 8 px": _grey(lambda image: cv2.GaussianBlur(image, (0, 0), 8)),
    "JPEG, quality 15": _artefact(_jpeg),
    "coarser speckle": _artefact(artefacts.add_speckle),
    "shadow": _artefact(artefacts.add_shadow),
    "text, callipers, bar": _artefact(lambda image, rng: artefacts.add_marks(artefacts.add_marks(image, rng), rng)),
    "zoomed out to 0.6": _zoom_out,
    "cropped to the head, 1:1": _crop(1.0),
    "cropped to the head, 16:9": _crop(16 / 9),
    "turned by 90 degrees": _turned,
    "upside down": lambda image, truth, rng: _warp(
        image, truth, np.array([[1.0, 0, 0], [0, -1, image.shape[0] - 1]]), image.shape[::-1], 1.0
    ),
}


def main() -> None:
    """Print a row for each change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", default=PRETRAINED)
    parser.add_argument("--limit", type=int, help="the first so many images")
    add_root(parser)
    options = parser.parse_args()
    checkpoint = read_checkpoint(options.ckpt)
    records = own_records(checkpoint, options.root, checkpoint.description.split.val)
    predictor = Predictor.load(checkpoint)
    print(f"{'':30s}{'ellipse Dice, %':>24s}{'ADF, mm':>24s}{'DF':>7s}{'flagged':>9s}{'missed':>8s}{'ADF of ok':>11s}")
    for name, change in CHANGES.items():
        print(_line(name, list(_scores(predictor, records[: options.limit], change))), flush=True)


def _scores(predictor: Predictor, records: Sequence[Record], change: Change) -> Iterator[dict[str, Any]]:
    for batch, pairs in read_ahead(records, Record.read_pair):
        rngs = [np.random.default_rng(int.from_bytes(record.name.encode()[:8], "big")) for record in batch]
        changed = [change(image, truth, rng) for (image, truth), rng in zip(pairs, rngs, strict=True)]
        found = predictor.predict([image for image, _, _ in changed])
        for record, (image, truth, scale), prediction in zip(batch, changed, found, strict=True):
            size = record.pixel_size_mm / scale if record.pixel_size_mm else None
            yield score(replace(record, pixel_size_mm=size), image.shape, truth, prediction, predictor.calibration)


def _line(name: str, rows: list[dict[str, Any]]) -> str:
    def mean(measure: str, scale: float = 1.0) -> str:
        finite = [row for row in rows if np.isfinite(row[measure])]
        return with_interval(describe([row[measure] for row in finite], [row["examination"] for row in finite]), scale)

    found = [row for row in rows if row["flag"] != Flag.NO_HEAD]
    ok = [row["adf_mm"] for row in found if row["flag"] != Flag.CHECK]
    flagged = sum(row["flag"] != "ok" for row in rows) / len(rows)
    return (
        f"{name:30s}{mean('ellipse_dice', 100):>24s}{mean('adf_mm'):>24s}"
        f"{np.mean([row['df_mm'] for row in found]):7.2f}{100 * flagged:7.0f} %{len(rows) - len(found):8d}"
        f"{np.mean(ok) if ok else np.nan:11.2f}"
    )


if __name__ == "__main__":
    main()
