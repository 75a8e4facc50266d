"""What ``predict.py`` is given: image files, and the pixel sizes that belong to them."""

import logging
from collections.abc import Sequence
from pathlib import Path

from fetal_seg.data.archives import extract
from fetal_seg.data.hc18 import find_pixel_size_csv, read_pixel_sizes
from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.imageio import IMAGE_SUFFIXES

logger = logging.getLogger(__name__)

ANNOTATION = "_Annotation"  # HC18's outlines stand beside their images and are none


def find_images(source: Path, cache_dir: Path) -> list[Path]:
    """The images of a file, a folder (not of its sub-folders), or a ZIP archive of a folder, by name.

    Raises:
        InputError: there is nothing there, or no image in it.
    """
    if source.is_file() and source.suffix.lower() == ".zip":
        folder = extract(source, cache_dir)
        return _images(folder / source.stem if (folder / source.stem).is_dir() else folder)
    if source.is_file():
        return [source]
    if source.is_dir():
        return _images(source)
    raise InputError(f"input={source}: there is no such file or folder; check the name")


def _images(folder: Path) -> list[Path]:
    images = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not path.stem.endswith(ANNOTATION)
        and not path.name.startswith(".")
    )
    if not images:
        raise InputError(f"input={folder}: no image is in it; it must hold files of {', '.join(IMAGE_SUFFIXES)}")
    return images


def pixel_sizes(source: Path, images: Sequence[Path], csv: Path | None, size_mm: float | None) -> dict[str, float]:
    """Pixel sizes in mm by file name: one for all, from the CSV given, or from one found beside the images.

    Images that no CSV names have none, which is told in the log.

    Raises:
        InputError: both a size and a CSV are given, or the CSV cannot be used.
    """
    if csv is not None and size_mm is not None:
        raise InputError("pixel_size_mm and pixel_size_csv are both given; give one of them")
    if size_mm is not None:
        return {image.name: size_mm for image in images}
    table = csv or find_pixel_size_csv(source)
    known = read_pixel_sizes(table) if table else {}
    without = [image.name for image in images if image.name not in known]
    if table and not without:
        logger.info("pixel sizes from %s", table)
    elif without:
        where = f"{table} has no row for" if table else "no pixel size is known for"
        logger.warning(
            "%s %s: no circumference in mm for them; give pixel_size_mm or pixel_size_csv",
            where,
            enumerate_names(without),
        )
    return {image.name: known[image.name] for image in images if image.name in known}
