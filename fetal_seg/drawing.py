"""Segmentations drawn on ultrasound images, with a caption below.

Arrays are uint8: grey images (height, width), pictures (height, width, 3) in RGB.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fetal_seg.ellipse import Ellipse

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

PREDICTION: Colour = (240, 165, 0)  # orange and sky blue remain apart for the colour-blind, and on grey
TRUTH: Colour = (86, 190, 245)
BACKGROUND: Colour = (24, 24, 24)
TEXT: Colour = (235, 235, 235)
TINT = 0.16  # of the mask: seen on black, and the tissue is seen through it
LEGEND = (("prediction", PREDICTION), ("truth", TRUTH))
DASHES = 36  # of the truth, so that a prediction which agrees with it shows in the gaps
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def overlay(
    image: NDArray[np.uint8],
    *,
    mask: NDArray[Any] | None = None,
    prediction: Ellipse | None = None,
    truth: Ellipse | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw a segmentation on an image.

    Args:
        image: grey values (h, w), 0 to 255.
        mask: predicted mask (h, w), positive in the head; drawn as a translucent tint.
        prediction: predicted ellipse, px of the image; a line in `PREDICTION`.
        truth: the sonographer's ellipse, px of the image; a dashed line in `TRUTH`, above the other.
        caption: text for a strip below the image, with a legend; None for no strip.

    Returns:
        Picture (h + strip, w, 3), uint8; the strip hides nothing of the image.

    Raises:
        ValueError: the mask is not of the image's shape.
    """
    picture = in_colour(image)
    scale = max(image.shape) / 800  # the lines look alike on every image size
    if mask is not None:
        if mask.shape != image.shape:
            raise ValueError(f"a mask of {mask.shape} on an image of {image.shape}: both must have the same shape")
        inside = mask > 0
        picture[inside] = np.rint((1 - TINT) * picture[inside] + TINT * np.array(PREDICTION)).astype(np.uint8)
    width = max(1.2, 3.2 * scale)
    if prediction is not None:
        _draw(picture, prediction, PREDICTION, width)
    if truth is not None:
        _draw(picture, truth, TRUTH, width, DASHES)
    if caption is None:
        return picture
    drawn = (mask is not None or prediction is not None, truth is not None)
    legend = [entry for entry, there in zip(LEGEND, drawn, strict=True) if there]
    return np.concatenate([picture, text_strip(caption, picture.shape[1], max(12, round(20 * scale)), legend)])


def in_colour(image: NDArray[np.uint8]) -> Picture:
    """A grey image (h, w) as a picture (h, w, 3), a copy."""
    return np.repeat(image[:, :, None], 3, axis=2)


def text_strip(text: str, width: int, size: int, legend: Sequence[tuple[str, Colour]] = ()) -> Picture:
    """Light text on a dark strip, with a legend at its right where that fits, or else below.

    Args:
        text: is wrapped at spaces, but not at `NO_BREAK_SPACE`; a word that is too long is cut in its middle.
        width: width of the strip, px.
        size: size of the font, px.
        legend: names with the colours of their lines; the truth's is dashed, as in `overlay`.

    Returns:
        Picture (height, width, 3), uint8, as high as the lines of text need.
    """
    font, margin, step = _font(size), size // 2, round(1.35 * size)
    lines = _wrapped(text, font, width - 2 * margin)
    widths = [3 * size + round(font.getlength(name)) for name, _ in legend]
    beside = font.getlength(lines[-1]) + sum(widths) + size <= width - 2 * margin
    rows = len(lines) + (bool(legend) and not beside)
    strip = Image.new("RGB", (width, rows * step + margin), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for index, line in enumerate(lines):
        draw.text((margin, margin // 2 + index * step), line, TEXT, font)
    x, y = (width - margin - sum(widths) + size if beside else margin), margin // 2 + (rows - 1) * step
    for (name, colour), part in zip(legend, widths, strict=True):
        for start, end in ((0, 0.55), (0.85, 1.4)) if colour == TRUTH else ((0, 1.4),):
            middle = y + 0.65 * size
            draw.line([(x + start * size, middle), (x + end * size, middle)], colour, max(2, size // 6))
        draw.text((x + 1.8 * size, y), name, TEXT, font)
        x += part
    return np.array(strip)


def _draw(picture: Picture, ellipse: Ellipse, colour: Colour, width: float, dashes: int = 0) -> None:
    """Blend the line of an ellipse into a picture, in place: `width` px broad, in `dashes` or without a break."""
    size = picture.shape[:2]
    line = _grown(ellipse, width / 2).coverage(*size) - _grown(ellipse, -width / 2).coverage(*size)
    y, x = np.nonzero(line)
    opacity = line[y, x]
    if dashes:
        cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
        along, across = x - ellipse.center_x, y - ellipse.center_y
        u, v = (cos * along + sin * across) / ellipse.semi_axis_a, (cos * across - sin * along) / ellipse.semi_axis_b
        phase = np.arctan2(v, u) * dashes / (2 * math.pi) % 1
        period = ellipse.circumference / dashes  # px
        opacity *= np.clip(0.5 + period * (0.28 - np.abs(phase - 0.5)), 0, 1)
    picture[y, x] = np.rint(picture[y, x] + opacity[:, None] * (np.array(colour) - picture[y, x]))


def _grown(ellipse: Ellipse, margin: float) -> Ellipse:
    """The ellipse with both semi-axes longer by `margin`, px; no shorter than nearly nothing."""
    a, b = (max(axis + margin, 1e-3) for axis in (ellipse.semi_axis_a, ellipse.semi_axis_b))
    return replace(ellipse, semi_axis_a=a, semi_axis_b=b)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines of whole words that fit `width` px; a longer word stands alone and is cut in its middle."""
    lines = [""]
    for unbroken in text.split(" "):
        word = unbroken.replace(NO_BREAK_SPACE, " ")  # fonts often lack the character
        extended = f"{lines[-1]} {word}" if lines[-1] else word
        if font.getlength(extended.rstrip()) <= width or not lines[-1]:
            lines[-1] = extended
        else:
            lines.append(word)
    return [_cut(line.strip(), font, width) for line in lines]


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
