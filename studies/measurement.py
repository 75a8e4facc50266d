"""What each way of measuring gives on the validation images of checkpoints; for docs/measurement.md.

python -m studies.measurement HC18_FOLDER CHECKPOINT [CHECKPOINT ...]
"""

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fetal_seg.config.choices import Choice
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record, read_ahead, records_named
from fetal_seg.evaluation import metrics
from fetal_seg.evaluation.clustered_statistics import describe, paired_difference
from fetal_seg.evaluation.scoring import score_records
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import fit_head
from fetal_seg.inference.opening import open_runtime
from fetal_seg.inference.predictor import Predictor
from fetal_seg.inference.runtime import Runtime
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from studies.figures import with_interval

Measured = Ellipse | float | None  # a float: a circumference in px alone


def main() -> None:
    """Print a row for each way of measuring, and the difference to the plain sub-pixel ellipse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="folder of HC18")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="of the same split; three for an ensemble of three")
    given = parser.parse_args()
    checkpoints = [read_checkpoint(path) for path in given.checkpoints]
    cache = cache_folder(None)
    records = load_records(Choice("hc18", {"root": str(given.root), "download": False}), cache)
    _truth_masks(records, checkpoints[0])
    held_out = records_named(records, checkpoints[0].description.split.val)
    print(f"\n{len(held_out)} validation images, {given.checkpoints[0]}")
    print(
        f"{'way of measuring':44s} {'ADF mm':>24s} {'DF mm':>24s} {'Dice %':>8s} {'missed':>7s}   less ADF than plain"
    )
    plain: Any = None
    for name, rows in _ways(checkpoints, held_out):
        plain = rows if name == "sub-pixel ellipse" else plain
        print(_line(name, rows, plain), flush=True)
    for flag in ("ok", "check"):
        errors = [row["adf_mm"] for row in plain if row["flag"] == flag and np.isfinite(row["adf_mm"])]
        if errors:
            average = f"ADF {np.mean(errors):.2f} mm on average, {np.median(errors):.2f} in the median"
            print(f"flagged {flag}: {len(errors)} of {len(plain)} images, {average}, {max(errors):.1f} at worst")


def _ways(checkpoints: Sequence[Checkpoint], records: Sequence[Record]) -> Any:
    def predicted(some: Sequence[Checkpoint], flips: bool) -> list[dict[str, Any]]:
        return [one.scores for one in score_records(Predictor.load(some, flips=flips), records)]

    first = checkpoints[:1]
    rows = predicted(first, flips=False)
    yield "sub-pixel ellipse", rows
    runtime = open_runtime(first[0], "cpu")
    yield "thresholded mask, ellipse by cv2.fitEllipse", _by_mask(runtime, records, _staircase_ellipse)
    yield "thresholded mask, length of its contour", _by_mask(runtime, records, _contour_length)
    yield "sub-pixel ellipse, flips", predicted(first, flips=True)
    for number, one in enumerate(checkpoints[1:], start=2):
        yield f"network {number} alone", predicted([one], flips=False)
    if len(checkpoints) > 1:
        yield f"ensemble of {len(checkpoints)}", predicted(checkpoints, flips=False)
        yield f"ensemble of {len(checkpoints)}, flips", predicted(checkpoints, flips=True)


def _by_mask(runtime: Runtime, records: Sequence[Record], measure: Callable[[Grey], Measured]) -> list[dict[str, Any]]:
    """Rows of a measurement of the mask, thresholded at the network's size and enlarged without smoothing."""
    rows, letterbox = [], runtime.preprocessing.letterbox
    for batch, pairs in read_ahead(records, Record.read_pair):
        logits = runtime.look(np.stack([letterbox.apply(image) for image, _ in pairs])).logits
        for record, (image, truth), values in zip(batch, pairs, logits, strict=True):
            height, width = image.shape
            grid = letterbox.to_native(height, width)
            flags = cv2.INTER_NEAREST
            mask = cv2.warpAffine((values > 0).astype(np.uint8), grid, (width, height), flags=flags)
            found, size = measure(mask), record.pixel_size_mm or 1.0
            length = found.circumference if isinstance(found, Ellipse) else found
            df = float("-inf") if length is None else (length - truth.circumference) * size
            dice = metrics.ellipse_dice(found, truth, height, width) if isinstance(found, Ellipse) else float("nan")
            rows.append({"examination": record.examination, "df_mm": df, "adf_mm": abs(df), "ellipse_dice": dice})
    return rows


def _largest(mask: Grey) -> Any:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(contours, key=cv2.contourArea, default=None)


def _staircase_ellipse(mask: Grey) -> Measured:
    contour = _largest(mask)
    if contour is None or len(contour) < 5:
        return None
    (x, y), axes, angle = cv2.fitEllipse(contour)
    return Ellipse(x, y, axes[0] / 2, axes[1] / 2, np.radians(angle))


def _contour_length(mask: Grey) -> Measured:
    contour = _largest(mask)
    return None if contour is None else float(cv2.arcLength(contour, closed=True))


def _line(name: str, rows: list[dict[str, Any]], plain: list[dict[str, Any]] | None) -> str:
    found = [index for index, row in enumerate(rows) if np.isfinite(row["adf_mm"])]
    groups = [rows[index]["examination"] for index in found]
    adf, df = (
        with_interval(describe([rows[index][column] for index in found], groups), digits=3)
        for column in ("adf_mm", "df_mm")
    )
    dice = np.mean([row["ellipse_dice"] for row in rows])
    less = ""
    if plain is not None and plain is not rows:
        both = [index for index in found if np.isfinite(plain[index]["adf_mm"])]
        ours, theirs = ([part[index]["adf_mm"] for index in both] for part in (rows, plain))
        gain = paired_difference(theirs, ours, [rows[index]["examination"] for index in both])
        less = f"{gain.mean:+.3f} ({gain.low:+.2f} to {gain.high:+.2f}), p = {gain.p:.2g}"
    shown = "–" if np.isnan(dice) else f"{100 * dice:.2f}"
    return f"{name:44s} {adf:>24s} {df:>24s} {shown:>8s} {len(rows) - len(found):7d}   {less}"


def _truth_masks(records: Sequence[Record], checkpoint: Checkpoint) -> None:
    """The method alone: the true ellipses, rasterised at the network's size and measured again."""
    letterbox = checkpoint.description.preprocessing.letterbox
    errors: dict[str, list[float]] = {"coverage": [], "0 or 1": []}
    for (_, pairs), kind in itertools.product(read_ahead(records, Record.read_truth), errors):
        for truth, (height, width) in pairs:
            small = truth.transform(letterbox.to_network(height, width))
            grid = (letterbox.height, letterbox.width)
            values = small.coverage(*grid) if kind == "coverage" else small.rasterise(*grid).astype(np.float32)
            fit = fit_head(values, 0.5, letterbox.to_native(height, width), (height, width))
            errors[kind].append(100 * (fit.ellipse.circumference / truth.circumference - 1) if fit else np.nan)
    for kind, values_found in errors.items():
        relative = np.array(values_found)
        print(
            f"true masks ({kind}) of {len(relative)} ellipses at {letterbox.height} x {letterbox.width}: mean error "
            f"{np.abs(relative).mean():.4f} %, bias {relative.mean():+.4f} %, worst {np.abs(relative).max():.3f} %"
        )


if __name__ == "__main__":
    main()
