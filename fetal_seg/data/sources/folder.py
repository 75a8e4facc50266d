"""The user's own images with masks (filled) or outlines, and perhaps a CSV of pixel sizes and groups.

::

    root/images/a.png   root/masks/a.png (or a_mask.png, a_Annotation.png)    or    root/a.png   root/a_mask.png
    root/pixel_sizes.csv: filename,pixel size(mm),group
"""

import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from fetal_seg.config.registries import SOURCES
from fetal_seg.config.types import Unlabelled
from fetal_seg.data.pixel_sizes import ImageRow, read_rows, without_row
from fetal_seg.data.records import Record
from fetal_seg.errors import InputError, enumerate_names, problems_with, refuse
from fetal_seg.images.grey import IMAGE_SUFFIXES

CSV_NAME = "pixel_sizes.csv"
MASK_ENDING = re.compile(r"_(mask|annotation)\Z", re.IGNORECASE)
UNLABELLED = {"skip": "they are left out", "no_head": "they count as images without a head"}
NO_MASK = (
    "{} has no mask; each image needs one of the same stem; add it, or with data=folder take data.unlabelled=skip, "
    "which leaves such images out, or data.unlabelled=no_head, where they show no head"
)

logger = logging.getLogger(__name__)


@SOURCES.register("folder")
def load(root: str | Path, unlabelled: Unlabelled = "refuse") -> list[Record]:
    """The records of a folder, sorted by name; no image is decoded.

    Images are those of ``root/images``, with masks in ``root/masks``; without such a folder they are in `root`, with
    masks that end in ``_mask`` or ``_Annotation`` beside them. With ``root/pixel_sizes.csv`` each image needs a row;
    without it, or where its cell is blank, pixel sizes are None. An image without a group is an examination of its own.

    Args:
        unlabelled: what becomes of images without a mask: ``refuse`` raises, ``skip`` leaves them out, with ``no_head``
            they are records that show no head.

    Raises:
        InputError: there is no such folder, or no image in it, or images, masks and CSV do not belong together; one
            message names all problems.
    """
    root = Path(root).expanduser()
    images, masks = _find(root, masks_needed=unlabelled == "refuse")
    mask_of, problems = _match(images, masks)
    bare = [image.name for image in images if image not in mask_of]
    if unlabelled == "refuse":
        problems = problems_with(bare, NO_MASK) + problems
    elif not mask_of:
        problems = [
            f"{root}: none of {len(images)} images has a mask; some must show heads; add their masks",
            *problems,
        ]
    elif bare:
        told = (len(bare), len(images), UNLABELLED[unlabelled], unlabelled, enumerate_names(bare))
        logger.info("%d of %d images have no mask: %s (data.unlabelled=%s): %s", *told)
    if unlabelled == "skip":
        images = [image for image in images if image in mask_of]
    rows: dict[str, ImageRow] = {}
    table = root / CSV_NAME
    if table.is_file():
        try:
            rows, wrong = read_rows(table, sizes_needed=False)
            problems += wrong + without_row(table, [image.name for image in images], rows)
        except InputError as error:
            problems.append(str(error))
    else:
        logger.info("%s is not there: pixel sizes are unknown, and each image counts as its own examination", table)
    refuse(problems)
    return [
        Record(image.name, row.group or image.name, image, mask, row.pixel_size_mm, shows_head=mask is not None)
        for image in images
        for row, mask in [(rows.get(image.name, ImageRow()), mask_of.get(image))]
    ]


def _find(root: Path, *, masks_needed: bool) -> tuple[list[Path], list[Path]]:
    """The images and the masks, each sorted by name."""
    if not root.is_dir():
        raise InputError(f"{root}: there is no such folder; data.root must hold images and masks; correct it")
    if (root / "images").is_dir():
        labelled = (root / "masks").is_dir()
        if masks_needed and not labelled:
            raise InputError(f"{root} has images/ but no masks/; each image needs a mask of the same stem; add them")
        images, masks = _files(root / "images"), _files(root / "masks") if labelled else []
    else:
        files = _files(root)
        masks = [path for path in files if re.search(MASK_ENDING, path.stem)]
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
    """The mask of each image that has one, by stem, and a sentence for each problem."""
    images_of: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        images_of[image.stem].append(image)
    masks_of: dict[str, list[Path]] = defaultdict(list)
    for mask in masks:
        masks_of[mask.stem if mask.stem in images_of else re.sub(MASK_ENDING, "", mask.stem)].append(mask)
    lone = [mask.name for stem, paths in masks_of.items() if stem not in images_of for mask in paths]
    alike = [image.name for paths in images_of.values() if len(paths) > 1 for image in paths]
    many = [mask.name for stem, paths in masks_of.items() if stem in images_of and len(paths) > 1 for mask in paths]
    problems = [
        *problems_with(
            lone, "the mask {} has no image; each belongs to one of the same stem; add it, or remove the mask"
        ),
        *problems_with(alike, "{} differ in their suffix only; masks are found by the stem; rename them"),
        *problems_with(many, "{} are masks of one image; each image has one; remove the others"),
    ]
    return {image: masks_of[image.stem][0] for image in images if image.stem in masks_of}, problems
