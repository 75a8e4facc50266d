"""HC18, and whatever is laid out as HC18 is: archives or folders of PNG files, with a CSV beside them.

``training_set/`` holds ``NNN_HC.png`` and ``NNN_HC_Annotation.png``, NNN being the examination; a second image of
the same examination is ``NNN_2HC.png``. ``test_set/`` holds images alone. Names of the two parts collide.
Source: T. L. A. van den Heuvel et al., Zenodo record 1327317.
"""

import csv
import logging
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.data import archives, download
from fetal_seg.data.records import Record, checked_pixel_size
from fetal_seg.errors import InputError, enumerate_names

NAME_COLUMN, PIXEL_SIZE_COLUMN = "filename", "pixelsize(mm)"  # in lower case and without spaces
ANNOTATION = "_Annotation"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Part:
    name: str
    csv: str
    is_annotated: bool


TRAINING = _Part("training_set", "training_set_pixel_size_and_HC.csv", is_annotated=True)
TEST = _Part("test_set", "test_set_pixel_size.csv", is_annotated=False)


def load(root: Path, cache_dir: Path, *, download: bool, of_zenodo: bool = True) -> list[Record]:
    """The training records, sorted by name.

    They come from ``root/training_set/`` if that folder exists, else from ``root/training_set.zip``, which is
    extracted into `cache_dir`. What is missing is downloaded if `download` is true: into `root` (which is created) if
    that can be written, else into ``cache_dir/hc18``. No image is decoded. If an archive should be Zenodo's
    (`of_zenodo`) and is not, the log tells so once.

    Raises:
        InputError: files are missing or damaged, or images, annotations and CSV do not belong together; one message
            tells all that was found.
    """
    return _load(TRAINING, root, cache_dir, may_download=download, of_zenodo=of_zenodo)


def test_images(root: Path, cache_dir: Path, *, download: bool) -> list[Record]:
    """The test records, which have no annotation, sorted by name; otherwise as `load`."""
    return _load(TEST, root, cache_dir, may_download=download, of_zenodo=True)


def read_pixel_sizes(file: Path) -> dict[str, float]:
    """Pixel sizes in mm by file name, from a CSV with the columns ``filename`` and ``pixel size(mm)``.

    Raises:
        InputError: the file is missing or no such CSV, a size is not a positive number, or a name has two rows.
    """
    sizes, problems = _read_rows(file)
    _raise_all(problems)
    return {name: size for name, size in sizes.items() if size is not None}


def find_pixel_size_csv(images: Path) -> Path | None:
    """The CSV of pixel sizes that belongs to a folder, an archive or an image file, or None where that is not clear.

    First ``<folder>_pixel_size*.csv`` beside the folder (or archive; for an image file, its folder), else the only
    ``*pixel_size*.csv`` beside or inside it. One beside it that is named after another folder is not taken: names
    repeat between HC18's parts, so that its sizes would fit by name and be wrong.
    """
    images = images.resolve()
    owner = images if images.is_dir() or _is_zip(images) else images.parent
    name = owner.name if owner.is_dir() else owner.stem
    neighbours = list(owner.parent.glob("*"))
    others = {path.name for path in neighbours if path.is_dir()} | {path.stem for path in neighbours if _is_zip(path)}
    if name in (TRAINING.name, TEST.name):
        others |= {TRAINING.name, TEST.name}
    beside = {path: path.name.split("_pixel_size")[0] for path in owner.parent.glob("*pixel_size*.csv")}
    own = [path for path, prefix in beside.items() if prefix == name]
    inside = list(owner.glob("*pixel_size*.csv")) if owner.is_dir() else []
    candidates = own or [path for path, prefix in beside.items() if prefix not in others] + inside
    return candidates[0] if len(candidates) == 1 else None


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _load(part: _Part, root: Path, cache_dir: Path, *, may_download: bool, of_zenodo: bool) -> list[Record]:
    folder, archive = root / part.name, f"{part.name}.zip"
    if folder.is_dir():
        (table,) = _locate(part, [part.csv], root, cache_dir, may_download=may_download)
        return _records(part, folder, table)
    table, packed = _locate(part, [part.csv, archive], root, cache_dir, may_download=may_download)
    is_new = of_zenodo and not archives.is_extracted(packed, cache_dir)
    records = _records(part, archives.extract(packed, cache_dir), table)
    if is_new and download.md5_of(packed) != download.MD5[archive]:  # told once, since reading it all takes a while
        logger.info(
            "%s is not the file on Zenodo (its MD5 differs); it is used, since its %d images agree with %s",
            packed,
            len(records),
            table.name,
        )
    return records


def _locate(part: _Part, names: list[str], root: Path, cache_dir: Path, *, may_download: bool) -> list[Path]:
    """Where the files are; in `root` unless they had or have to be downloaded elsewhere."""
    missing = [name for name in names if not (root / name).is_file()]
    if missing and not may_download:
        what = f"{root} has no {' and no '.join(missing)}" if root.is_dir() else f"{root}: there is no such folder"
        raise InputError(
            f"{what}; data.root must be a folder with {part.csv} and {part.name}.zip (or {part.name}/, extracted); "
            "correct it, set data.download=true, or use data=phantom, which needs no files"
        )
    if not missing:
        return [root / name for name in names]
    home = root if _is_writable(root) else cache_dir / "hc18"
    return [download.fetch(name, home) if name in missing else root / name for name in names]


def _is_writable(folder: Path) -> bool:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:  # the mode alone does not tell: a file system can be read-only
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def _records(part: _Part, folder: Path, table: Path) -> list[Record]:
    if (folder / part.name).is_dir():  # archives hold a folder of their own name
        folder /= part.name
    files = {path.name for path in folder.glob("*.png") if not path.name.startswith(".")}
    if not files:
        raise InputError(f"{folder}: it holds no PNG file; it must hold the images of {part.name}; extract them again")
    annotations = {name for name in files if name.endswith(f"{ANNOTATION}.png")}
    images = sorted(files - annotations)
    sizes, problems = _read_rows(table)
    problems += _names_amiss(folder, images) + _rows_amiss(folder, table, images, list(sizes))
    if part.is_annotated:
        problems += _annotations_amiss(folder, images, annotations)
    _raise_all(problems)
    return [
        Record(
            name=name,
            examination=name.split("_")[0],
            image=folder / name,
            annotation=folder / _annotation_of(name) if part.is_annotated else None,
            pixel_size_mm=sizes[name],
        )
        for name in images
    ]


def _annotation_of(name: str) -> str:
    return f"{name.removesuffix('.png')}{ANNOTATION}.png"


def _names_amiss(folder: Path, images: list[str]) -> list[str]:
    return _told(
        [name for name in images if not re.match(r"\d+_", name)],
        f"{folder}: the name of {{}} does not begin with the number of its examination and _, as 010_HC.png does; "
        "images of one examination must be known as such; rename it",
    )


def _rows_amiss(folder: Path, table: Path, images: list[str], rows: list[str]) -> list[str]:
    return _told(
        sorted(set(images) - set(rows)),
        f"{table}: there is no row for {{}}; each image needs one with its pixel size; add it",
    ) + _told(
        sorted(set(rows) - set(images)),
        f"{folder}: there is no image {{}}, which has a row in {table.name}; images and rows belong together; extract "
        "the images again, or remove the row",
    )


def _annotations_amiss(folder: Path, images: list[str], annotations: set[str]) -> list[str]:
    return _told(
        [name for name in images if _annotation_of(name) not in annotations],
        f"{folder}: {{}} has no annotation (NAME{ANNOTATION}.png beside it); training needs one for each image; "
        "add it, or remove the image and its row",
    ) + _told(
        sorted(annotations - {_annotation_of(name) for name in images}),
        f"{folder}: {{}} has no image; each annotation belongs to one; add the image, or remove the annotation",
    )


def _told(names: list[str], sentence: str) -> list[str]:
    """The sentence with the first few names at ``{}``; nothing where there are no names."""
    return [sentence.replace("{}", enumerate_names(names))] if names else []


def _read_rows(file: Path) -> tuple[dict[str, float | None], list[str]]:
    """Pixel sizes by name (None where it is no size), and a sentence for each kind of problem among the rows.

    Raises:
        InputError: the file is missing, no text, or its header lacks a column.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = [[cell.strip() for cell in row] for row in csv.reader(text)]
    except FileNotFoundError as error:
        raise InputError(f"{file}: there is no such CSV; check the name, or download it") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: the CSV cannot be read ({error}); it must be text in UTF-8; replace it") from error
    header, *rows = [row for row in rows if any(row)] or [[]]
    columns = ["".join(cell.split()).lower() for cell in header]
    if not {NAME_COLUMN, PIXEL_SIZE_COLUMN} <= set(columns):
        raise InputError(
            f"{file}: the header is {','.join(header)!r}; it must name the columns 'filename' and 'pixel size(mm)', "
            "with a comma between them; correct it"
        )
    sizes: dict[str, float | None] = {}
    nameless, repeated, unusable = [], [], {}
    for row in rows:
        cells = dict(zip(columns, row, strict=False))
        name = cells.get(NAME_COLUMN)
        if not name:
            nameless.append(",".join(row))
            continue
        if name in sizes:
            repeated.append(name)
            continue
        try:
            sizes[name] = checked_pixel_size(cells.get(PIXEL_SIZE_COLUMN), name, file)
        except InputError as error:
            sizes[name], unusable[name] = None, str(error)
    problems = _told(nameless, f"{file}: a row has no file name ({{}}); each row belongs to an image; correct it")
    problems += _told(
        list(dict.fromkeys(repeated)),
        f"{file}: there is more than one row for {{}}; each image has one; remove the others",
    )
    if unusable:
        first, *others = unusable
        problems.append(unusable[first] + (f" (likewise {enumerate_names(others)})" if others else ""))
    return sizes, problems


def _raise_all(problems: list[str]) -> None:
    if problems:
        raise InputError("\n".join(problems))
