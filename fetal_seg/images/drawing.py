"""Segmentations drawn on ultrasound images, with a caption below.

Arrays are uint8: grey images (height, width), pictures (height, width, 3) in RGB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fetal_seg.geometry.arrays import FloatArray, Grey
from fetal_seg.geometry.ellipse import Ellipse

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

PREDICTION: Colour = (240, 165, 0)  # orange and sky blue remain apart for the colour-blind, and on grey
TRUTH: Colour = (86, 190, 245)
BACKGROUND: Colour = (24, 24, 24)
TEXT: Colour = (235, 235, 235)
TINT = 0.16  # of the mask: seen on black, and the tissue is seen through it
LEGEND = (("prediction", PREDICTION), ("truth", TRUTH))
DASHES = 36  # of the truth, so that a prediction which agrees with it shows in the gaps
HALO: Colour = (0, 0, 0)  # about the lines: orange is seen on white by it
HALO_OPACITY = 0.7
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def overlay(
    image: Grey,
    *,
    mask: NDArray[Any] | None = None,
    prediction: Ellipse | None = None,
    truth: Ellipse | None = None,
    caption: str | None = None,
    axes: bool = False,
) -> Picture:
    """Draw a segmentation on an image.

    Args:
        image: grey values (h, w), 0 to 255.
        mask: predicted mask (h, w), positive in the head; drawn as a translucent tint.
        prediction: predicted ellipse, px of the image; a line in `PREDICTION`.
        truth: the sonographer's ellipse, px of the image; a dashed line in `TRUTH`, above the other.
        caption: text for a strip below the image, with a legend; None for no strip.
        axes: draw both axes of the predicted ellipse (OFD and BPD) too, thin and dashed with a caliper's cross at
            each end, and a dark halo about all lines, so that they are seen on a light image.

    Returns:
        Picture (h + strip, w, 3), uint8; the strip hides nothing of the image.

    Raises:
        ValueError: the mask is not of the image's shape.
    """
    picture = in_colour(image)
    if mask is not None:
        if mask.shape != image.shape:
            raise ValueError(f"a mask of {mask.shape} on an image of {image.shape}: both must have the same shape")
        is_head = (mask > 0).view(np.uint8)
        left, top, width, height = cv2.boundingRect(is_head)
        about = np.s_[top : top + height, left : left + width]
        cv2.copyTo(cv2.LUT(picture[about], _tinted()), is_head[about], picture[about])
    scale = max(image.shape) / 800  # the lines look alike on every image size
    width, halo = max(1.2, 3.2 * scale), max(0.8, 1.2 * scale) if axes else 0.0
    lines = []
    if prediction is not None:
        lines += [_axes(image.shape, prediction, max(1.0, 1.6 * scale), halo)] if axes else []
        lines.append(_outline(image.shape, prediction, PREDICTION, width, halo))
    if truth is not None:
        lines.append(_outline(image.shape, truth, TRUTH, width, halo, DASHES))
    for line in lines if halo else ():  # all before the first line, so that none is darkened by another's
        _blend(picture, line, line.halo, HALO)
    for line in lines:
        _blend(picture, line, line.opacity, line.colour)
    if caption is None:
        return picture
    shown = (mask is not None or prediction is not None, truth is not None)
    legend = [entry for entry, is_shown in zip(LEGEND, shown, strict=True) if is_shown]
    return np.concatenate([picture, text_strip(caption, picture.shape[1], max(12, round(20 * scale)), legend)])


def in_colour(image: Grey) -> Picture:
    """A grey image (h, w) as a picture (h, w, 3), a copy."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)


def text_strip(text: str, width: int, size: int, legend: Sequence[tuple[str, Colour]] = ()) -> Picture:
    """Light text on a dark strip, with a legend at its right where that fits, or else below.

    Args:
        text: is wrapped at spaces, but not at `NO_BREAK_SPACE`; a word that is too long is cut in its middle.
        width, size: of the strip and of the font, px.
        legend: names with the colours of their lines; the truth's is dashed, as in `overlay`.

    Returns:
        Picture (height, width, 3), uint8, as high as the lines of text need.
    """
    font, margin, step = _font(size), size // 2, round(1.35 * size)
    lines = _wrapped(text, font, width - 2 * margin)
    widths = [3 * size + _name_width(name, size) for name, _ in legend]
    beside = font.getlength(lines[-1]) + sum(widths) + size <= width - 2 * margin
    rows = len(lines) + (bool(legend) and not beside)
    strip = Image.new("RGB", (width, rows * step + margin), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for index, line in enumerate(lines):
        draw.text((margin, margin // 2 + index * step), line, TEXT, font)
    x, y = (width - margin - sum(widths) + size if beside else margin), margin // 2 + (rows - 1) * step
    for (name, colour), advance in zip(legend, widths, strict=True):
        for start, end in ((0, 0.55), (0.85, 1.4)) if colour == TRUTH else ((0, 1.4),):
            middle = y + 0.65 * size
            draw.line([(x + start * size, middle), (x + end * size, middle)], colour, max(2, size // 6))
        draw.text((x + 1.8 * size, y), name, TEXT, font)
        x += advance
    return np.array(strip)


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class _Line:
    """The pixels about a line, and how much it covers of each.

    Attributes:
        pixels: their places (n,) in the picture's rows, one after the other.
        opacity: of the line, (n,), 0 to 1.
        halo: opacity of what is dark beneath and about it, (n,), 0 to 1.
        colour: of the line.
    """

    pixels: NDArray[np.intp]
    opacity: FloatArray
    halo: FloatArray
    colour: Colour


def _outline(
    shape: tuple[int, ...], ellipse: Ellipse, colour: Colour, width: float, halo: float, dashes: int = 0
) -> _Line:
    """The outline of an ellipse, `width` px broad, in `dashes` or without a break."""
    pixels, y, x = _pixels_about(shape, [ellipse.points(720)], width / 2 + halo)
    distance = ellipse.signed_distance(x, y)
    pattern = np.ones_like(distance)
    if dashes:
        u, v = ellipse.along_axes(x, y)
        phase = np.arctan2(v / ellipse.semi_axis_b, u / ellipse.semi_axis_a) * dashes / (2 * math.pi)
        pattern = _dashed(phase, ellipse.circumference / dashes, 0.56)
    dark = HALO_OPACITY * _bar(distance, width + 2 * halo) * pattern
    return _Line(pixels, _bar(distance, width) * pattern, dark, colour)


def _axes(shape: tuple[int, ...], ellipse: Ellipse, width: float, halo: float) -> _Line:
    """Both axes of an ellipse in fine dashes, and at each end the cross that a caliper leaves."""
    arm = 6 * width
    cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
    center, long, short = np.array([ellipse.center_x, ellipse.center_y]), np.array([cos, sin]), np.array([-sin, cos])
    strokes = []
    for length, way, across in ((ellipse.semi_axis_a, long, short), (ellipse.semi_axis_b, short, long)):
        strokes.append(center + np.outer((-1, 1), (length + arm) * way))
        strokes += [center + sign * length * way + np.outer((-arm, arm), across) for sign in (-1, 1)]
    pixels, y, x = _pixels_about(shape, strokes, width / 2 + halo)
    u, v = ellipse.along_axes(x, y)

    def covered(broader: float) -> FloatArray:
        parts = []
        for along, across, length in ((u, v, ellipse.semi_axis_a), (v, u, ellipse.semi_axis_b)):
            to_end, bar = np.abs(along) - length, _bar(across, width + broader)
            parts.append(bar * (to_end < 0) * _dashed(along / (7 * width), 7 * width, 0.5))
            parts.append(bar * _bar(to_end, 2 * arm + broader))
            parts.append(_bar(to_end, width + broader) * _bar(across, 2 * arm + broader))
        return np.asarray(np.max(parts, axis=0))

    return _Line(pixels, covered(0), HALO_OPACITY * covered(2 * halo), PREDICTION)


def _pixels_about(
    shape: tuple[int, ...], strokes: Sequence[FloatArray], margin: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The pixels within `margin` px of closed strokes through points (n, 2), and some more: places, rows, columns."""
    height, width = shape
    canvas = np.zeros((height, width), np.uint8)
    beyond = 2 * max(shape)  # the coordinates are whole numbers of 32 bits; an ellipse may be anywhere
    points = [np.rint(np.clip(stroke, -beyond, beyond)).astype(np.int32) for stroke in strokes]
    cv2.polylines(canvas, points, True, 1, 2 * math.ceil(margin + 1) + 1)
    pixels = np.flatnonzero(canvas.view(bool))
    return pixels, *np.divmod(pixels, width)


def _bar(distance: FloatArray, width: float) -> FloatArray:
    """How much of a pixel at a distance from its middle line a bar of `width` covers, 0 to 1; both in px."""
    return np.clip((width + 1) / 2 - np.abs(distance), 0, min(width, 1))


def _dashed(phase: FloatArray, period: float, filled: float) -> FloatArray:
    """1 in the dashes and 0 in the gaps of a line, by the phase (1 for a dash and its gap), for a period in px."""
    return np.asarray(np.clip(0.5 + period * (filled / 2 - np.abs(phase % 1 - 0.5)), 0, 1))


def _blend(picture: Picture, line: _Line, opacity: FloatArray, colour: Colour) -> None:
    """Blend a colour into the pixels about a line, in place."""
    is_covered = opacity > 0
    pixels, covers = line.pixels[is_covered], opacity[is_covered].astype(np.float32)[:, None]
    rows = picture.reshape(-1, 3)
    under = rows[pixels].astype(np.float32)
    rows[pixels] = (under + covers * (np.array(colour, np.float32) - under) + 0.5).astype(np.uint8)


@cache
def _tinted() -> Picture:
    """For each value of 0 to 255 and each channel the tinted one, (1, 256, 3)."""
    values = np.arange(256)[None, :, None]
    return np.rint((1 - TINT) * values + TINT * np.array(PREDICTION)).astype(np.uint8)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines of whole words that fit `width` px; a longer word stands alone and is cut in its middle."""
    whole = text.replace(NO_BREAK_SPACE, " ")
    if font.getlength(whole) <= width:
        return [whole.strip()]
    lines = [""]
    for unbroken in text.split(" "):
        word = unbroken.replace(NO_BREAK_SPACE, " ")  # fonts often lack the character
        extended = f"{lines[-1]} {word}" if lines[-1] else word
        if font.getlength(extended.rstrip()) <= width or not lines[-1]:
            lines[-1] = extended
        else:
            lines.append(word)
    return [_cut(line.strip(), font, width) for line in lines]


@cache
def _name_width(name: str, size: int) -> int:
    """Of a name in a legend, px."""
    return round(_font(size).getlength(name))


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    keep, cut = len(text), text
    while keep > 1 and font.getlength(cut) > width:
        keep -= 1
        cut = f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"
    return cut


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, so that the pictures are the same on every machine."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType; install its wheel")
    return font
