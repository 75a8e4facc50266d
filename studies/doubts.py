"""Which doubt finds the bad measurements, and whether intervals hold, on images that each network did not see.

python -m studies.doubts SWEEP_FOLDER TABLE.csv     of train.py -m experiment=pretrained_crossvalidation

The first run measures each image by the network that did not see it, and keeps the table; later ones read it.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record, read_ahead, records_named
from fetal_seg.evaluation.runs import RunStatus, read_runs
from fetal_seg.files import write_csv
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import HeadFit, fit_head
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.inference.opening import open_runtime
from fetal_seg.inference.predictor import Predictor
from fetal_seg.inference.runtime import Logits
from fetal_seg.measurement import conformal
from fetal_seg.measurement.biometry import trimester
from fetal_seg.models.checkpoint import read_checkpoint

QUARTER = float(np.log(3))  # logit of the probability 0.75; its negative is that of 0.25
SECTORS = 24  # of the outline
KINDS: dict[str, Callable[[str], Any]] = {"file": str, "examination": str, "fold": int}  # of columns; others are floats


@dataclass(frozen=True)
class Doubted:
    """An image with its error and what was known before the truth was. Lengths are in mm; NaN where no head was found.

    Attributes:
        level_spread: largest less smallest circumference of the outlines at a probability of 0.25, 0.5 and 0.75.
        edge: mean width over which the probability falls; edge_worst: of the widest twelfth of the outline.
        residual: root mean square distance of the outline from the ellipse.
        flip_spread: of the circumferences of the four flips.
    """

    file: str
    examination: str
    fold: int
    hc_true: float
    hc_pred: float
    confidence: float
    agreement: float
    cut: float
    contrast: float
    level_spread: float
    edge: float
    edge_worst: float
    residual: float
    flip_spread: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how much of the error each doubt finds, and how many truths the intervals of each scale hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="of train.py -m experiment=pretrained_crossvalidation")
    parser.add_argument("table", type=Path, help="CSV, written where it is not there")
    given = parser.parse_args(arguments)
    if not given.table.is_file():
        write_csv(given.table, [field.name for field in fields(Doubted)], map(_row, _measured(given.sweep)))
    images = read_doubts(given.table)
    found = [image for image in images if np.isfinite(image.hc_pred)]
    print(f"{len(images)} images, {len(images) - len(found)} missed")
    widths = _widths(found)
    _print_scores(found, widths)
    _print_intervals(found, widths)


def read_doubts(table: Path) -> list[Doubted]:
    """The images of a table that was written before."""
    with table.open(newline="", encoding="utf-8") as file:
        return [
            Doubted(**{name: KINDS.get(name, float)(cell) for name, cell in row.items()})
            for row in csv.DictReader(file)
        ]


def _row(image: Doubted) -> dict[str, str]:
    return {key: f"{value:.6g}" if isinstance(value, float) else str(value) for key, value in asdict(image).items()}


def _measured(sweep: Path) -> Iterator[Doubted]:
    for fold, run in enumerate(run for run in read_runs([sweep]) if run.status == RunStatus.FINISHED):
        checkpoint = read_checkpoint(run.checkpoint)
        source = checkpoint.description.data.source
        records = records_named(load_records(source, cache_folder(None)), checkpoint.description.split.val)
        runtime = open_runtime(checkpoint, "cpu")
        predictor = Predictor([runtime])
        letterbox = runtime.preprocessing.letterbox
        for batch, pairs in read_ahead(records, Record.read_pair):
            for record, (image, truth) in zip(batch, pairs, strict=True):
                framed = letterbox.apply(image)
                logits = runtime.look(framed[None]).logits[0]
                flipped = [
                    np.flip(runtime.look(np.ascontiguousarray(np.flip(framed, axes))[None]).logits[0], axes)
                    for axes in ((1,), (0,), (0, 1))
                ]
                (prediction,) = predictor.predict([image])
                size = record.pixel_size_mm or np.nan
                row = (record.name, record.examination, fold, truth.circumference * size)
                quality, grid = prediction.quality, _Grid(letterbox, image.shape[0], image.shape[1], size)
                fit = grid.fit(logits, 0.0) if prediction.ellipse else None
                if fit is None or quality is None:
                    yield Doubted(*row, *[np.nan] * 10)
                    continue
                hc = fit.ellipse.circumference * size
                levels = [hc, *(grid.circumference(logits, level) for level in (-QUARTER, QUARTER))]
                flips = [hc, *(grid.circumference(view, 0.0) for view in flipped)]
                yield Doubted(
                    *row, hc, quality.confidence, quality.agreement, quality.cut,
                    quality.contrast, np.ptp(levels), *grid.edge(logits, fit), grid.residual(fit), np.ptp(flips),
                )  # fmt: skip


@dataclass(frozen=True)
class _Grid:
    letterbox: Letterbox
    height: int
    width: int
    size: float

    def fit(self, logits: Logits, level: float) -> HeadFit | None:
        return fit_head(logits, level, self.letterbox.to_native(self.height, self.width), (self.height, self.width))

    def circumference(self, logits: Logits, level: float) -> float:
        fit = self.fit(logits, level)
        return fit.ellipse.circumference * self.size if fit else np.nan

    def edge(self, logits: Logits, fit: HeadFit) -> tuple[float, float]:
        """Width of the fall of the probability, whose p (1 - p) integrates to its scale: mean, and of the worst."""
        on_map = fit.ellipse.transform(self.letterbox.to_network(self.height, self.width))
        about = cv2.dilate(fit.region, np.ones((25, 25), np.uint8)) > 0
        y, x = np.nonzero(about)
        p = 1 / (1 + np.exp(-np.clip(logits[about].astype(np.float64), -50, 50)))
        cos, sin = np.cos(on_map.angle_rad), np.sin(on_map.angle_rad)
        u, v = x - on_map.center_x, y - on_map.center_y
        angle = np.arctan2((v * cos - u * sin) / on_map.semi_axis_b, (u * cos + v * sin) / on_map.semi_axis_a)
        sector = ((angle + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
        scale = self.size * np.sqrt(abs(np.linalg.det(self.letterbox.to_native(self.height, self.width)[:, :2])))
        widths = np.bincount(sector, p * (1 - p), SECTORS) / _sector_lengths(on_map) * scale
        return float(widths.mean()), float(np.sort(widths)[-SECTORS // 12 :].mean())

    def residual(self, fit: HeadFit) -> float:
        contours, _ = cv2.findContours(fit.region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        to_native = self.letterbox.to_native(self.height, self.width)
        points = contours[0][:, 0].astype(np.float64) @ to_native[:, :2].T + to_native[:, 2]
        return float(np.sqrt(np.mean(fit.ellipse.signed_distance(*points.T) ** 2)) * self.size)


def _sector_lengths(ellipse: Ellipse) -> NDArray[np.float64]:
    t = np.linspace(-np.pi, np.pi, SECTORS * 20 + 1)
    x, y = ellipse.semi_axis_a * np.cos(t), ellipse.semi_axis_b * np.sin(t)
    return np.hypot(np.diff(x), np.diff(y)).reshape(SECTORS, -1).sum(axis=1)


SCORES: dict[str, Callable[[Doubted], float]] = {
    "unsure: 1 - confidence": lambda image: 1 - image.confidence,
    "scale of the interval: (1 - confidence) sqrt(HC)": lambda image: (1 - image.confidence) * image.hc_pred**0.5,
    "(1 - confidence) HC": lambda image: (1 - image.confidence) * image.hc_pred,
    "predicted circumference": lambda image: image.hc_pred,
    "ellipse and mask disagree: 1 - Dice": lambda image: 1 - image.agreement,
    "residual of the ellipse, mm": lambda image: image.residual,
    "cut by the frame": lambda image: image.cut,
    "low contrast": lambda image: -image.contrast,
    "level spread, mm": lambda image: image.level_spread,
    "edge, mm": lambda image: image.edge,
    "edge of the worst sectors, mm": lambda image: image.edge_worst,
    "edge, mm, times sqrt(HC)": lambda image: image.edge * image.hc_pred**0.5,
    "flip spread, mm": lambda image: image.flip_spread,
}


def _print_scores(images: list[Doubted], widths: NDArray[np.float64]) -> None:
    errors = np.array([abs(image.hc_pred - image.hc_true) for image in images])
    tenth = round(len(images) / 10)
    worst = set(np.argsort(-errors)[:20].tolist())
    best = np.sort(errors)[-tenth:].sum() / errors.sum()
    print(f"\nthe worst tenth holds {100 * best:.0f} % of the error; a tenth at random 10 %")
    print(
        "| doubt | error that its tenth holds, % | of the 20 worst | correlation of ranks |\n| --- | --- | --- | --- |"
    )
    scores = {name: np.array([score(image) for image in images]) for name, score in SCORES.items()}
    for name, values in {**scores, "width of the interval, mm": widths.copy()}.items():
        values[np.isnan(values)] = np.inf
        flagged = np.argsort(-values, kind="stable")[:tenth]
        ranks = [np.argsort(np.argsort(of)) for of in (values, errors)]
        held, seen = 100 * errors[flagged].sum() / errors.sum(), len(worst & set(flagged.tolist()))
        print(f"| {name} | {held:.0f} | {seen} | {np.corrcoef(*ranks)[0, 1]:.2f} |")


def _widths(images: list[Doubted]) -> NDArray[np.float64]:
    """Half the widths of intervals that are calibrated without the image's own fold of examinations."""
    predicted, confidence, true = (
        [getattr(one, key) for one in images] for key in ("hc_pred", "confidence", "hc_true")
    )
    return conformal.cross_widths(predicted, confidence, true, [image.examination for image in images])


def _print_intervals(images: list[Doubted], widths: NDArray[np.float64]) -> None:
    predicted, true = (np.array([getattr(image, name) for image in images]) for name in ("hc_pred", "hc_true"))
    held, of = np.abs(predicted - true) <= widths, np.array([trimester(value) for value in true])
    print("\n| 90 % intervals | images | held, % | mean width, mm |\n| --- | --- | --- | --- |")
    for name, part in {"all": of > 0, **{f"trimester {number}": of == number for number in (1, 2, 3)}}.items():
        print(f"| {name} | {part.sum()} | {100 * held[part].mean():.1f} | {2 * widths[part].mean():.1f} |")


if __name__ == "__main__":
    main()
