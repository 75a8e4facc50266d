"""Image files as grey images of 8 bits, whatever the file holds."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fetal_seg.errors import InputError
from fetal_seg.files import whole_file
from fetal_seg.geometry.arrays import Grey

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp")

MOST_PIXELS = 89_478_485  # where Pillow starts to warn; here it is the limit for all files

WHITES = (1, 255, 1023, 4095, 16383, 65535)  # values of white that files of more than 8 bits are written with


def read_grey(path: Path) -> Grey:
    """Read an image file as grey values (height, width), 0 to 255.

    Colours become luma (ITU-R 601), 10 to 16 bits are scaled to 8, transparency is laid on black, and a picture that
    says how it is to be turned (EXIF) is turned.

    Raises:
        InputError: the file is missing, cut off, too large, or no image.
    """
    return read_first_page(path)[0]


def read_first_page(path: Path) -> tuple[Grey, bool]:
    """As `read_grey`, and whether the file holds no other page (of a TIFF) or picture (of an animation)."""
    try:
        with Image.open(path) as image:
            check_size(path, *image.size)
            is_alone = not getattr(image, "is_animated", False)
            image.load()
            return _to_grey(image), is_alone
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the name") from error
    except Image.DecompressionBombError as error:
        number = re.search(r"\d{6,}", str(error))
        raise InputError(_too_large(path, f"it has {number[0] if number else 'too many'} pixels")) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        reason, remedy = str(error), "copy or download it again"
        if isinstance(error, UnidentifiedImageError):
            reason = "it is no image file, or of a rare kind" if path.stat().st_size else "it is empty"
            remedy += ", or save it as PNG"
        raise InputError(f"{path}: the image cannot be read ({reason}); {remedy}") from error


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse images that fill the memory.

    Raises:
        InputError: the image has more pixels than `MOST_PIXELS`.
    """
    if width * height > MOST_PIXELS:
        raise InputError(_too_large(path, f"the image has {width} x {height} pixels"))


def _too_large(path: Path, size: str) -> str:
    return f"{path}: {size}; at most {MOST_PIXELS / 1e6:.0f} million can be read; crop or scale it first"


def as_grey(image: NDArray[Any]) -> Grey:
    """Grey values (height, width), 0 to 255, of an array.

    Args:
        image: grey (height, width) or (height, width, 1), RGB (height, width, 3), or RGB with an alpha channel
            (height, width, 4), which is laid on black; uint8, uint16 (8 to 16 bits of it), or floating point of 0 to 1.

    Raises:
        InputError: it is of another shape or type, empty, or holds floating-point values outside 0 to 1.
    """
    is_image = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3, 4))
    is_float = np.issubdtype(image.dtype, np.floating)
    if not (is_image and image.size) or not (is_float or image.dtype in (np.uint8, np.uint16)):
        raise InputError(
            f"an array of shape {image.shape} and type {image.dtype} is no image; it must be (height, width), or "
            "(height, width, 1, 3 or 4), uint8, uint16, or floating point of 0 to 1; convert it"
        )
    if is_float and not (image.min() >= 0 and image.max() <= 1):  # never true of NaN
        raise InputError(
            f"an image of floating point has values of {image.min():g} to {image.max():g}; they must be of 0 to 1; "
            "scale it"
        )
    if image.dtype != np.uint8:
        image = np.rint(255.0 * image).astype(np.uint8) if is_float else _scaled(image.astype(np.float64))
    if image.ndim == 2 or image.shape[2] == 1:
        return image.reshape(image.shape[:2])
    return luma(image) if image.shape[2] == 3 else _to_grey(Image.fromarray(np.ascontiguousarray(image), "RGBA"))


def grey_of(image: ArrayLike | Image.Image) -> Grey:
    """Grey values (height, width), 0 to 255, of a Pillow image, or an array as `as_grey` takes it; raises as that."""
    return _to_grey(image) if isinstance(image, Image.Image) else as_grey(np.asarray(image))


def luma(colours: Grey) -> Grey:
    """Grey values (height, width) of RGB values (height, width, 3): ITU-R 601."""
    return np.array(Image.fromarray(colours).convert("L"))


def write_image(path: Path, pixels: Grey) -> None:
    """Write grey (height, width) or RGB (height, width, 3) values of 0 to 255, whole or not at all.

    Args:
        path: its suffix chooses: ``.png``, without loss and quickly (OpenCV's lowest level takes a fifth of Pillow's
            time, for files a fifth larger), or ``.jpg`` of quality 90, for pictures to look at.

    Raises:
        ValueError: another suffix, or an array of another shape.
    """
    import cv2

    options = {
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
        ".jpg": [
            *(cv2.IMWRITE_JPEG_QUALITY, 90),
            *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),  # thin lines keep their colour
        ],
    }
    if path.suffix not in options or pixels.ndim not in (2, 3):
        raise ValueError(f"an array of shape {pixels.shape} cannot be written as {path.name}; take .png or .jpg")
    _write(path, pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options[path.suffix])


def write_mask(path: Path, mask: Grey) -> None:
    """Write a mask (height, width), 0 or 1, as PNG of 0 and 255: by runs, in a quarter of the time of an image."""
    import cv2

    runs = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    _write(path, mask * np.uint8(255), [cv2.IMWRITE_PNG_COMPRESSION, 1, *runs])


def _write(path: Path, pixels: Any, options: list[int]) -> None:
    import cv2

    _, content = cv2.imencode(path.suffix, pixels, options)
    with whole_file(path) as temporary:
        temporary.write_bytes(content.tobytes())


def _to_grey(image: Image.Image) -> Grey:
    if image.getexif():
        image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _scaled(np.asarray(image, np.float64))
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return np.array(image if image.mode == "L" else image.convert("L"))


def _scaled(values: NDArray[np.float64]) -> Grey:
    """Wide integers and floating point as 8 bits: they fill the fewest of 8, 10, 12, 14 or 16 bits, or 0 to 1."""
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite")
    top = values.max(initial=0.0)
    white = next((white for white in WHITES if top <= white), WHITES[-1])
    return np.clip(np.rint(values * (255 / white)), 0, 255).astype(np.uint8)
