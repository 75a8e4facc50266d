"""Pictures of many segmentations: the best and worst of an evaluation, a contact sheet of a prediction."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.config.types import PictureFormat
from fetal_seg.evaluation.disagreement import Disagreement
from fetal_seg.evaluation.tables import Row, finite_value, is_missed
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.drawing import BACKGROUND, LEGEND, NO_BREAK_SPACE, Colour, Picture, in_colour, overlay, text_strip
from fetal_seg.images.grey import write_image
from fetal_seg.measurement.biometry import age_text
from fetal_seg.measurement.result import Flag, Prediction

GAP = 12  # px between the parts of a picture
TITLE_SIZE, CAPTION_SIZE = 26, 17  # px
EARLIER_SHEET = re.compile(r"contact_sheet(_[0-9]+)?\.(jpg|png)")


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Panel:
    """An image with what is drawn on it, in its own pixels, and what is written below it.

    Attributes:
        image: grey values (h, w), uint8.
        caption: text below the image.
        mask: predicted mask (h, w), positive in the head.
        prediction: predicted ellipse, px.
        truth: the sonographer's ellipse, px.
    """

    image: Grey
    caption: str
    mask: NDArray[Any] | None = None
    prediction: Ellipse | None = None
    truth: Ellipse | None = None

    def fitted(self, width: int, height: int) -> "Panel":
        """The panel scaled until its image fits (width, height) in px, with what is drawn on it."""
        old_height, old_width = self.image.shape
        scale = min(width / old_width, height / old_height)
        size = (max(1, round(old_width * scale)), max(1, round(old_height * scale)))
        x, y = size[0] / old_width, size[1] / old_height
        matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])  # pixel (0, 0) reaches from -1/2 to 1/2
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        mask = self.mask
        if mask is not None:
            mask = cv2.resize((mask > 0).view(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)
        return Panel(
            np.asarray(cv2.resize(self.image, size, interpolation=interpolation), np.uint8),
            self.caption,
            mask,
            self.prediction and self.prediction.transform(matrix),
            self.truth and self.truth.transform(matrix),
        )


def evaluation_caption(row: Row) -> str:
    """File, Dice of the ellipse and circumference (its error) of a row of an evaluation."""
    parts = [str(row["file"]), f"Dice {100 * (finite_value(row, 'ellipse_dice') or 0.0):.2f} %"]
    predicted, difference = finite_value(row, "hc_pred_mm"), finite_value(row, "df_mm")
    if is_missed(row):
        parts.append("no head found")
    elif predicted is not None and difference is not None:
        parts.append(f"HC {predicted:.1f} mm ({round(difference, 1) + 0.0:+.1f})")  # + 0.0 makes no "-0.0"
    return _caption(parts)


def prediction_caption(row: Row) -> str:
    """File, circumference with interval, age and flag of a row of a prediction, or why there is no circumference."""
    name = image_name(row)
    reasons = "; ".join(row.get("reasons") or [])
    if row.get("flag") == Flag.ERROR:
        return f"{_caption([name])}   cannot be read: {reasons}"
    if finite_value(row, "semi_axis_a_px") is None:
        return _caption([name, "no head found"])
    weeks = row.get("ga_intergrowth_weeks")
    parts = [name, _circumference(row), *([f"GA {age_text(weeks)}"] if isinstance(weeks, int | float) else [])]
    # The reasons are a text of its own, which may be broken between its words
    return f"{_caption(parts)}   {row['flag']}: {reasons}" if row.get("flag", Flag.OK) != Flag.OK else _caption(parts)


def image_name(row: Row) -> str:
    """The file of a row of a prediction, with the number of the frame where it holds several."""
    return str(row["file"]) if row.get("frame") is None else f"{row['file']} #{row['frame']}"


def _circumference(row: Row) -> str:
    in_mm, low, high = (finite_value(row, column) for column in ("hc_mm", "hc_low_mm", "hc_high_mm"))
    if in_mm is None:
        in_px = finite_value(row, "hc_px")
        return "pixel size unknown" if in_px is None else f"HC {in_px:.0f} px (pixel size unknown)"
    return f"HC {in_mm:.1f} mm" + (f" ({low:.1f} to {high:.1f})" if low is not None and high is not None else "")


def draw_best_and_worst(rows: Sequence[Row], load: Callable[[Row], Panel], output: Path, count: int = 8) -> None:
    """Write one PNG of the `count` best and the `count` worst images of an evaluation by Dice of the ellipse.

    Of fewer than ``2 * count`` images each is shown once, of none nothing is written. Only what is shown is
    loaded, one at a time.

    Args:
        load: gives the panel of a row; `evaluation_caption` is a caption for it.
    """
    ranked = sorted(rows, key=lambda row: finite_value(row, "ellipse_dice") or 0.0, reverse=True)
    best = min(count, (len(ranked) + 1) // 2)
    worst = min(count, len(ranked) - best)
    blocks = []
    for title, chosen in (("best", ranked[:best]), ("worst", ranked[::-1][:worst])):
        if chosen:
            tiles = [_tile(load(row), (480, 324), pair=False) for row in chosen]
            number_of = f"{len(chosen)} " if len(chosen) > 1 else ""
            blocks.append(_block(f"The {number_of}{title} of {len(ranked)} by Dice of the ellipse", tiles, 4, LEGEND))
    if not blocks:
        return
    width = max(block.shape[1] for block in blocks)
    write_image(output, np.concatenate([_padded(block, width, block.shape[0]) for block in blocks]))


def encode_disagreement(disagreement: Disagreement, prediction: Prediction) -> bytes:
    """A small JPEG of a prediction of an image that contenders disagree on, with the truth."""
    panel = Panel(disagreement.image, "", prediction.mask, prediction.ellipse, disagreement.truth).fitted(420, 284)
    drawn = overlay(panel.image, mask=panel.mask, prediction=panel.prediction, truth=panel.truth)
    _, encoded = cv2.imencode(".jpg", drawn[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return encoded.tobytes()


class ContactSheet:
    """Pages of thumbnails: each image beside its segmentation, its caption below.

    Of many images no more than those of one page are kept, about 0.4 MB each: a page is written once
    it is full and another image follows. Each page is written whole or not at all.

    Args:
        folder: gets ``contact_sheet.jpg``, or ``contact_sheet_1.jpg``, ``contact_sheet_2.jpg`` and so on
            where there are several pages; `finish` removes the pages of an earlier sheet.
        picture_format: the suffix of these files.
        per_page: pairs on a page at most: 100 make one of 2982 x about 4900 px.
        columns: pairs side by side at most; fewer for a few images, so that the sheet is no long band.
        most_pages: the sheet ends after so many; None for as many as the images take.
    """

    def __init__(
        self,
        folder: Path,
        picture_format: PictureFormat = "jpg",
        *,
        per_page: int = 100,
        columns: int = 5,
        most_pages: int | None = None,
    ) -> None:
        self.folder, self.picture_format, self.per_page, self.columns = folder, picture_format, per_page, columns
        self._most = None if most_pages is None else per_page * most_pages
        self._pages: list[Path] = []
        self._before = 0  # images on the pages that are written
        self._tiles: list[Picture] = []

    @staticmethod
    def thumbnail(panel: Panel) -> Picture:
        """What `add` takes, of an image of any size."""
        return _tile(panel, (290, 196), pair=True)

    @property
    def shown(self) -> int:
        """How many images there are on it."""
        return self._before + len(self._tiles)

    @property
    def is_full(self) -> bool:
        """Whether there is no place for another image."""
        return self._most is not None and self.shown >= self._most

    def add(self, thumbnail: Picture) -> None:
        """Add an image, if there is a place for it."""
        if not self.is_full:
            if len(self._tiles) == self.per_page:
                self._write_page(alone=False)
            self._tiles.append(thumbnail)

    def finish(self) -> list[Path]:
        """Write the last page; all pages, in order. There is none where no image was added."""
        if self._tiles:
            self._write_page(alone=not self._pages)
        for old in self.folder.glob("contact_sheet*"):
            if EARLIER_SHEET.fullmatch(old.name) and old not in self._pages:
                old.unlink()
        return self._pages

    def _write_page(self, alone: bool) -> None:
        count, columns = len(self._tiles), self.columns
        suffix, shown = f"_{len(self._pages) + 1}", f"Images {self._before + 1} to {self.shown}"
        if alone:
            height, width = self._tiles[0].shape[:2]
            columns = min(columns, math.ceil(math.sqrt(count * height / width)))
            suffix, shown = "", "One image" if count == 1 else f"{count} images"
        output = self.folder / f"contact_sheet{suffix}.{self.picture_format}"
        write_image(output, _block(f"{shown} beside the predicted segmentation", self._tiles, columns, LEGEND[:1]))
        self._pages.append(output)
        self._tiles, self._before = [], self._before + count  # others may ask meanwhile whether it is full


def _tile(panel: Panel, size: tuple[int, int], pair: bool) -> Picture:
    """The overlay of a panel within `size` (width, height), beside the bare image for a `pair`, and the caption below.

    It is drawn after the image is scaled, so that the lines of a thumbnail are as crisp as the others.
    """
    small = panel.fitted(*size)
    drawn = overlay(small.image, mask=small.mask, prediction=small.prediction, truth=small.truth)
    row = _padded(drawn, *size, center=True)
    if pair:
        bare = _padded(in_colour(small.image), *size, center=True)
        row = np.concatenate([bare, _padded(row[:, :0], 2, size[1]), row], axis=1)
    return np.concatenate([row, text_strip(panel.caption, row.shape[1], CAPTION_SIZE)])


def _block(title: str, tiles: Sequence[Picture], columns: int, legend: Sequence[tuple[str, Colour]]) -> Picture:
    """A title with its legend, and below it tiles of one width, row by row."""
    width = tiles[0].shape[1] + GAP
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [max(tile.shape[0] for tile in row) + GAP for row in rows]
    header = text_strip(title, GAP + width * len(rows[0]), TITLE_SIZE, legend)
    # One canvas that is filled in place: a sheet of hundreds of images is copied no more often than needed.
    canvas = _padded(header, header.shape[1], header.shape[0] + sum(heights))
    top = header.shape[0]
    for row, height in zip(rows, heights, strict=True):
        for left, tile in zip(range(GAP, canvas.shape[1], width), row, strict=False):
            canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        top += height
    return canvas


def _padded(picture: Picture, width: int, height: int, center: bool = False) -> Picture:
    """The picture on a ground of (height, width): in its middle, or at its upper left."""
    canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
    top, left = ((height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2) if center else (0, 0)
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def _caption(parts: Sequence[str]) -> str:
    """Parts that a line may end between, but not within."""
    return "   ".join(part.replace(" ", NO_BREAK_SPACE) for part in parts)
