"""The user's own images with masks (filled) or outlines, and perhaps a CSV of pixel sizes and groups.

::

    root/images/a.png   root/masks/a.png (or a_mask.png, a_Annotation.png)    or    root/a.png   root/a_mask.png
    root/pixel_sizes.csv: filename,pixel size(mm),group
"""

import csv
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.data.records import Record, checked_pixel_size
from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.images.grey import IMAGE_SUFFIXES

CSV_NAME = "pixel_sizes.csv"
NAME, PIXEL_SIZE, GROUP = "filename", "pixel size(mm)", "group"
MASK_ENDINGS = ("_mask", "_annotation")  # in lower case

logger = logging.getLogger(__name__)

# Accepted names of each column, in lower case and without anything but letters.
_COLUMNS = {NAME: ("filename",), PIXEL_SIZE: ("pixelsizemm", "pixelsize"), GROUP: ("group", "examination")}


@dataclass(frozen=True)
class _Row:
    pixel_size_mm: float | None = None
    group: str | None = None


def load(root: Path) -> list[Record]:
    """The records of a folder, sorted by name; no image is decoded.

    Images are those of ``root/images``, with masks in ``root/masks``; without such a folder they are in `root`, with
    masks that end in ``_mask`` or ``_Annotation`` beside them. With ``root/pixel_sizes.csv`` each image needs a row;
    without it pixel sizes are None. An image without a group is an examination of its own.

    Raises:
        InputError: there is no such folder, or no image in it, or images, masks and CSV do not belong together; one
            message tells all that was found.
    """
    images, masks = _find(root)
    mask_of, problems = _match(images, masks)
    rows: dict[str, _Row] = {}
    table = root / CSV_NAME
    if table.is_file():
        try:
            rows, amiss = _read_rows(table)
        except InputError as error:
            amiss = [str(error)]
        else:
            without = [image.name for image in images if image.name not in rows]
            amiss += _told(without, f"{table}: no row for {{}}; each image needs one with its pixel size; add it")
        problems += amiss
    else:
        logger.info("%s is not there: pixel sizes are unknown, and each image counts as its own examination", table)
    if problems:
        raise InputError("\n".join(problems))
    return [
        Record(image.name, row.group or image.name, image, mask_of[image], row.pixel_size_mm)
        for image in images
        for row in [rows.get(image.name, _Row())]
    ]


def _find(root: Path) -> tuple[list[Path], list[Path]]:
    """The images and the masks, each sorted by name."""
    if not root.is_dir():
        raise InputError(f"{root}: there is no such folder; data.root must hold images and masks; correct it")
    if (root / "images").is_dir():
        if not (root / "masks").is_dir():
            raise InputError(f"{root} has images/ but no masks/; each image needs a mask of the same stem; add them")
        images, masks = _files(root / "images"), _files(root / "masks")
    else:
        files = _files(root)
        masks = [path for path in files if path.stem.lower().endswith(MASK_ENDINGS)]
        images = [path for path in files if path not in set(masks)]
    if not images:
        raise InputError(
            f"{root} holds no image; it must hold images/ and masks/, or NAME.png beside NAME_mask.png, "
            f"as files of {', '.join(IMAGE_SUFFIXES)}; correct data.root, or add them"
        )
    return images, masks


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _match(images: Sequence[Path], masks: Sequence[Path]) -> tuple[dict[Path, Path], list[str]]:
    """The mask of each image, by stem, and what is amiss."""
    images_of: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        images_of[image.stem].append(image)
    masks_of: dict[str, list[Path]] = defaultdict(list)
    for mask in masks:
        masks_of[mask.stem if mask.stem in images_of else _without_ending(mask.stem)].append(mask)
    bare = [image.name for image in images if image.stem not in masks_of]
    lone = [mask.name for stem, own in masks_of.items() if stem not in images_of for mask in own]
    alike = [image.name for own in images_of.values() if len(own) > 1 for image in own]
    many = [mask.name for stem, own in masks_of.items() if stem in images_of and len(own) > 1 for mask in own]
    problems = [
        *_told(bare, "{} has no mask; each image needs one of the same stem; add it"),
        *_told(lone, "the mask {} has no image; each belongs to one of the same stem; add it, or remove the mask"),
        *_told(alike, "{} differ in their suffix only; masks are found by the stem; rename them"),
        *_told(many, "{} are masks of one image; each image has one; remove the others"),
    ]
    return {image: masks_of[image.stem][0] for image in images if image.stem in masks_of}, problems


def _without_ending(stem: str) -> str:
    for ending in MASK_ENDINGS:
        if stem.lower().endswith(ending):
            return stem[: -len(ending)]
    return stem


def _read_rows(table: Path) -> tuple[dict[str, _Row], list[str]]:
    """What the CSV says of each file name, and what is wrong with it.

    Raises:
        InputError: it is no text, or its header lacks a column.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as text:
            header, *lines = [line for line in csv.reader(text) if any(cell.strip() for cell in line)] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: the CSV cannot be read ({error}); it must be text in UTF-8; replace it") from error
    columns = [_column(cell) for cell in header]
    if not {NAME, PIXEL_SIZE} <= set(columns):
        raise InputError(
            f"{table}: the header is {','.join(header)!r}; it must name the columns '{NAME}' and '{PIXEL_SIZE}', "
            "with a comma between them; correct it"
        )
    rows: dict[str, _Row] = {}
    twice: list[str] = []
    unusable: dict[str, str] = {}
    for line in lines:
        cells = {column: cell.strip() for column, cell in zip(columns, line, strict=False)}
        name, size = cells.get(NAME) or "(a row without a file name)", None
        if name in rows:
            twice.append(name)
            continue
        try:
            size = checked_pixel_size(cells.get(PIXEL_SIZE), name, table)
        except InputError as error:
            unusable[name] = str(error)
        rows[name] = _Row(size, cells.get(GROUP) or None)
    problems = _told(twice, f"{table}: more than one row for {{}}; each image has one; remove the others")
    if unusable:
        first, *others = unusable
        problems.append(unusable[first] + (f" (likewise {enumerate_names(others)})" if others else ""))
    return rows, problems


def _column(cell: str) -> str:
    """Our name for a column of the CSV; its own where we have none."""
    letters = "".join(letter for letter in cell.lower() if letter.isalpha())
    return next((column for column, names in _COLUMNS.items() if letters in names), cell)


def _told(names: list[str], sentence: str) -> list[str]:
    """The sentence with the first few names at ``{}``; nothing where there are no names."""
    return [sentence.replace("{}", enumerate_names(names))] if names else []
