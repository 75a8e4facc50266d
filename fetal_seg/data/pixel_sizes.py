"""The CSV of pixel sizes, which HC18 has and which users may give: where it is, and what it says.

::

    filename,pixel size(mm),group
    010_HC.png,0.0691358,10
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.config.types import PIXEL_SIZES_MM
from fetal_seg.errors import InputError, enumerate_names, problems_with, refuse

NAME, PIXEL_SIZE, GROUP = "filename", "pixel size(mm)", "group"
HC18_PARTS = ("training_set", "test_set")  # folders and archives whose file names repeat

# Accepted names of each column, in lower case and without anything but letters
_COLUMNS = {NAME: ("filename",), PIXEL_SIZE: ("pixelsizemm", "pixelsize"), GROUP: ("group", "examination")}


@dataclass(frozen=True)
class ImageRow:
    """What the CSV says of an image.

    Attributes:
        pixel_size_mm: side of a pixel, mm; None where it is not known.
        group: what images of one examination share; None where it is not known.
    """

    pixel_size_mm: float | None = None
    group: str | None = None


def read_pixel_sizes(file: Path) -> dict[str, float]:
    """Pixel sizes in mm by file name, from a CSV with the columns ``filename`` and ``pixel size(mm)``.

    Raises:
        InputError: as `read_rows`, or a size is not a positive number, a row has no name, or a name has two rows.
    """
    rows, problems = read_rows(file)
    refuse(problems)
    return {name: row.pixel_size_mm for name, row in rows.items() if row.pixel_size_mm is not None}


def read_rows(file: Path, *, sizes_needed: bool = True) -> tuple[dict[str, ImageRow], list[str]]:
    """The rows by file name (without a pixel size where theirs is none), and a sentence for each kind of problem.

    Args:
        sizes_needed: whether a blank cell is a problem; else that pixel size is not known.

    Raises:
        InputError: the file is missing, no text, or its header lacks a column.
    """
    header, *lines = list(_lines(file)) or [[]]
    columns = [_column(cell) for cell in header]
    if not {NAME, PIXEL_SIZE} <= set(columns):
        raise InputError(
            f"{file}: the header is {','.join(header)!r}; it must name the columns '{NAME}' and '{PIXEL_SIZE}', "
            "with a comma between them; correct it"
        )
    rows: dict[str, ImageRow] = {}
    nameless, repeated, unusable = [], [], {}
    for line in lines:
        cells = dict(zip(columns, line, strict=False))
        name, size = cells.get(NAME), None
        if not name:
            nameless.append(",".join(line))
            continue
        if name in rows:
            repeated.append(name)
            continue
        try:
            if cells.get(PIXEL_SIZE) or sizes_needed:
                size = checked_pixel_size(cells.get(PIXEL_SIZE), name, file)
        except InputError as error:
            unusable[name] = str(error)
        rows[name] = ImageRow(size, cells.get(GROUP) or None)
    problems = problems_with(
        nameless, f"{file}: a row has no file name ({{}}); each row belongs to an image; correct it"
    ) + problems_with(
        list(dict.fromkeys(repeated)),
        f"{file}: there is more than one row for {{}}; each image has one; remove the others",
    )
    if unusable:
        first, *others = unusable
        problems.append(unusable[first] + (f" (likewise {enumerate_names(others)})" if others else ""))
    return rows, problems


def read_index(file: Path) -> Iterator[tuple[str, float | None]]:
    """Names and pixel sizes in mm (None where a cell is blank, or there is no such column), a row at a time.

    Raises:
        InputError: the file is no CSV with a column ``filename``, a row has no name, or a size is no positive number.
    """
    lines = _lines(file)
    columns = [_column(cell) for cell in next(lines, [])]
    if NAME not in columns:
        raise InputError(
            f"{file}: the header is {','.join(columns)!r}; an index of images must name the column '{NAME}', and may "
            f"have '{PIXEL_SIZE}'; correct it"
        )
    for line in lines:
        cells = dict(zip(columns, line, strict=False))
        name, size = cells.get(NAME), cells.get(PIXEL_SIZE)
        if not name:
            raise InputError(f"{file}: a row has no file name ({','.join(line)}); each row is an image; correct it")
        yield name, checked_pixel_size(size, name, file) if size else None


def without_row(file: Path, images: Sequence[str], rows: dict[str, ImageRow]) -> list[str]:
    """A sentence that names the images of which a CSV says nothing, if there are any."""
    return problems_with(
        [name for name in images if name not in rows],
        f"{file}: there is no row for {{}}; each image needs one with its pixel size; add it",
    )


def checked_pixel_size(value: str | None, name: str, source: Path) -> float:
    """The pixel size in mm that stands in a CSV.

    Raises:
        InputError: it is absent, not a number, or not positive.
    """
    text = (value or "").strip()
    low, high = PIXEL_SIZES_MM
    rule = "a pixel size is a positive number of millimetres; correct the row"
    if not text:
        raise InputError(f"{source}: the row of {name} has no pixel size; {rule}")
    try:
        size = float(text)
    except ValueError:
        raise InputError(f"{source}: the pixel size of {name} is {text!r}; {rule}") from None
    if not 0 < size < math.inf:
        raise InputError(f"{source}: the pixel size of {name} is {text}; {rule}")
    if not low <= size <= high:
        raise InputError(f"{source}: the pixel size of {name} is {text}; it is {low:g} to {high:g} mm; correct the row")
    return size


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
    if name in HC18_PARTS:
        others |= set(HC18_PARTS)
    beside = {path: _owner_name(path) for path in _csvs(owner.parent)}
    named = [path for path, prefix in beside.items() if prefix == name]
    candidates = named or [path for path, prefix in beside.items() if prefix not in others] + _csvs(owner)
    return candidates[0] if len(candidates) == 1 else None


def pixel_size_csvs(source: Path) -> Iterator[tuple[Path | None, Path]]:
    """The CSVs that belong to a source, with the folder whose files each is for; None for all of the source.

    Names repeat between HC18's parts, so that a CSV that is called after a folder is for that folder alone.
    """
    folders = {table: source / _owner_name(table) for table in _csvs(source)}
    if named := [(folder, table) for table, folder in folders.items() if folder.is_dir()]:
        yield from named
    elif table := find_pixel_size_csv(source):
        yield None, table


def _lines(file: Path) -> Iterator[list[str]]:
    """The cells of each line that is not empty."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            for line in csv.reader(text):
                if any(cells := [cell.strip() for cell in line]):
                    yield cells
    except FileNotFoundError as error:
        raise InputError(f"{file}: there is no such CSV; check the name, or download it") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: the CSV cannot be read ({error}); it must be text in UTF-8; replace it") from error


def _column(cell: str) -> str:
    """Our name for a column of the CSV; its own where we have none."""
    letters = "".join(letter for letter in cell.lower() if letter.isalpha())
    return next((column for column, names in _COLUMNS.items() if letters in names), cell)


def _csvs(folder: Path) -> list[Path]:
    """Regular files alone: a pipe would be waited for."""
    return sorted(path for path in folder.glob("*pixel_size*.csv") if path.is_file()) if folder.is_dir() else []


def _owner_name(table: Path) -> str:
    """The folder that a CSV is called after."""
    return table.name.split("_pixel_size")[0]


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"
