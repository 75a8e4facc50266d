"""What a prediction leaves in a folder: masks, overlays, a table and a contact sheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fetal_seg.drawing import overlay
from fetal_seg.errors import InputError
from fetal_seg.files import added_whole
from fetal_seg.imageio import Grey, read_grey, write_png
from fetal_seg.predictor import Prediction, Predictor, read_ahead
from fetal_seg.progress import track
from fetal_seg.report import pictures, tables


def predict_to(
    folder: Path, predictor: Predictor, images: Sequence[Path], sizes: dict[str, float], *, overlays: bool
) -> int:
    """Predict image files and write the results into `folder`; give the number of heads found.

    Args:
        folder: gets ``masks/``, ``overlays/``, ``predictions.csv`` and ``contact_sheet.png``.
        predictor: the trained network.
        images: files of distinct names.
        sizes: pixel sizes in mm by file name, where they are known.
        overlays: whether each image is drawn with its mask and ellipse.

    Raises:
        InputError: an image cannot be read, or two have the same stem.
    """
    _check_stems(images)
    rows: list[dict[str, Any]] = []

    def panels(results: Path) -> Iterator[pictures.Panel]:
        for path, image, prediction in track(_predictions(predictor, images), "predicting", len(images)):
            row = prediction_row(path.name, prediction, sizes.get(path.name))
            rows.append(row)
            panel = pictures.Panel(
                image, pictures.prediction_caption(row), mask=prediction.mask, prediction=prediction.ellipse
            )
            _write(results / "masks" / f"{path.stem}.png", prediction.mask * 255)
            if overlays:
                drawn = overlay(image, mask=prediction.mask, prediction=prediction.ellipse, caption=panel.caption)
                _write(results / "overlays" / f"{path.stem}.png", drawn)
            yield panel

    with added_whole(folder) as results:
        pictures.draw_contact_sheet(panels(results), results / "contact_sheet.png")
        tables.write_predictions(results / "predictions.csv", rows)
    return sum(row["flag"] == "ok" for row in rows)


def prediction_row(name: str, prediction: Prediction, pixel_size_mm: float | None) -> dict[str, Any]:
    """A row of ``predictions.csv``: the ellipse in px, the circumference in mm where the pixel size is known."""
    row: dict[str, Any] = {"file": name, "pixel_size_mm": pixel_size_mm, "flag": "ok", "reasons": ""}
    ellipse = prediction.ellipse
    if ellipse is None:
        return row | {"flag": "no head", "reasons": "no region of the image looks like a head"}
    row |= {
        "center_x_px": ellipse.center_x,
        "center_y_px": ellipse.center_y,
        "semi_axis_a_px": ellipse.semi_axis_a,
        "semi_axis_b_px": ellipse.semi_axis_b,
        "angle_rad": ellipse.angle_rad,
    }
    return row if pixel_size_mm is None else row | {"hc_mm": ellipse.circumference * pixel_size_mm}


def _predictions(predictor: Predictor, images: Sequence[Path]) -> Iterator[tuple[Path, Grey, Prediction]]:
    """Predict in batches, while the next batch is read."""
    for batch, read in read_ahead(images, read_grey):
        yield from zip(batch, read, predictor.predict(read), strict=True)


def _check_stems(images: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in images:
        if path.stem in seen:
            raise InputError(
                f"{seen[path.stem].name} and {path.name} would both write masks/{path.stem}.png; rename one of them"
            )
        seen[path.stem] = path


def _write(path: Path, pixels: Grey) -> None:
    path.parent.mkdir(exist_ok=True)
    write_png(path, pixels)
