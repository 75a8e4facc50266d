"""Image files as grey images of 8 bits, whatever the file holds."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fetal_seg.errors import InputError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")

Grey = NDArray[np.uint8]


def read_grey(path: Path) -> Grey:
    """Read an image file as grey values (height, width), 0 to 255.

    Colours become luma (ITU-R 601), 16 bits are scaled to 8, transparency is laid on black.

    Raises:
        InputError: the file is missing, cut off, or no image.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return _to_grey(image)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the name") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: {error}; crop or scale the image first") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        reason = "it is no image file" if isinstance(error, UnidentifiedImageError) else str(error)
        raise InputError(f"{path}: the image cannot be read ({reason}); copy or download it again") from error


def write_png(path: Path, pixels: Grey) -> None:
    """Write grey (height, width) or RGB (height, width, 3) values of 0 to 255 as PNG."""
    Image.fromarray(pixels).save(path, format="PNG")


def _to_grey(image: Image.Image) -> Grey:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _scaled(np.asarray(image, np.float64))
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return np.array(image.convert("L"))


def _scaled(values: NDArray[np.float64]) -> Grey:
    """Wide integers and floating point: by 257 where they need 16 bits, by 255 where they end at 1."""
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite")
    top = values.max(initial=0.0)
    factor = 255.0 if top <= 1 else 1 / 257 if top > 255 else 1.0
    return np.clip(np.rint(values * factor), 0, 255).astype(np.uint8)
