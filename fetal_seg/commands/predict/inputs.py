"""What ``predict.py`` is given: files of images, DICOM and videos, and the pixel sizes that belong to them."""

import contextlib
import glob
import logging
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePath

from fetal_seg.commands.predict.input_list import InputFile, InputList
from fetal_seg.data.archives import extract
from fetal_seg.data.pixel_sizes import pixel_size_csvs, read_index, read_pixel_sizes
from fetal_seg.data.sources.hc18 import ANNOTATION
from fetal_seg.errors import InputError
from fetal_seg.images.reader import readers

LIST_SUFFIXES = (".txt", ".lst")
INDEX_SUFFIX = ".csv"

logger = logging.getLogger(__name__)


def find_inputs(inputs: str | Sequence[str], cache_dir: Path) -> InputList:
    """The files that are given, each once: by name within each thing given.

    Args:
        inputs: a file; a folder, with those in it; a pattern such as ``scans/**/*.png``; a list file (``.txt``,
            ``.lst``) with a path a line, relative to its own folder, where ``#`` starts a comment; an index (``.csv``)
            with the paths in a column ``filename``, and perhaps ``pixel size(mm)``; a ZIP archive of a folder; or
            several of these. Folders, archives and patterns give the files that can be measured by
            their suffix (or first bytes, without one), but none that is hidden, a DICOMDIR, or an outline of HC18.
        cache_dir: where archives are extracted to.

    Raises:
        InputError: nothing is there, or nothing that can be measured. Missing files of a list are no error here:
            they cannot be read later, and the table of results says so.
    """
    found = InputList()
    for text in [inputs] if isinstance(inputs, str) else inputs:
        try:
            count = found.add(_files(text, cache_dir)) if text.strip() else 0
        except OSError as error:
            raise InputError(
                f"input={text}: it cannot be looked up ({error.strerror or error}); check the name and its permissions"
            ) from error
        if not count:
            raise InputError(
                f"input={text}: there is nothing to measure; it must hold or name files of {', '.join(_suffixes())}; "
                "correct it"
            )
    found.tell_apart()
    return found


def find_sizes(files: InputList, csv: Path | None, size_mm: float | None) -> None:
    """Set the files' pixel sizes in mm: one for all, from the CSV given, or from one beside inputs without an index.

    A CSV may name a file by its name here, by an end of that (``b/c.png`` of ``a/b/c.png``), or by ``c.png`` alone.
    Files of which it says nothing have none.

    Raises:
        InputError: both a size and a CSV are given, or an index has sizes too, or the CSV cannot be used.
    """
    if csv is not None and size_mm is not None:
        raise InputError("pixel_size_mm and pixel_size_csv are both given; give one of them")
    if files.has_sizes and (csv is not None or size_mm is not None):
        raise InputError(
            f"pixel_size_{'csv' if csv else 'mm'} is given, and the index of the input has pixel sizes too; leave out "
            "the one or the others"
        )
    if size_mm is not None:
        files.set_sizes(lambda name, path: size_mm)
    elif csv is not None:
        rows = read_pixel_sizes(csv)
        if rows and not _match(files, rows):
            raise InputError(
                f"pixel_size_csv={csv} names none of the inputs ({next(iter(rows))}, for instance, "
                f"but not {next(iter(files)).name}); correct its names, or leave it out to measure in pixels"
            )
    else:
        for source in files.sources():
            for folder, table in pixel_size_csvs(source):
                if _match(files, read_pixel_sizes(table), source, folder):
                    logger.info("pixel sizes from %s", table)


def _files(text: str, cache_dir: Path) -> Iterator[InputFile]:
    path = Path(text).expanduser()
    suffix = path.suffix.lower()
    if path.is_dir():
        if _is_results(path):
            raise InputError(f"input={text}: a prediction wrote this folder; give the folder of its images")
        yield from _in_folder(path, path)
    elif path.is_file() and suffix == ".zip":
        folder = extract(path, cache_dir)
        yield from _in_folder(folder / path.stem if (folder / path.stem).is_dir() else folder, path)
    elif path.is_file() and suffix in LIST_SUFFIXES:
        yield from (_listed(path, line) for line in _lines(path))
    elif path.is_file() and suffix == INDEX_SUFFIX:
        yield from (_listed(path, name, size) for name, size in read_index(path))
    elif path.is_file():
        yield InputFile(path, path.name, path)
    elif glob.has_magic(text):
        yield from _by_pattern(path)
    elif path.exists():
        raise InputError(f"input={text} is neither a file nor a folder but a pipe or a device; give a file")
    else:
        raise InputError(f"input={text}: there is no such file or folder; check the name")


def _in_folder(folder: Path, source: Path, below: str = "") -> Iterator[InputFile]:
    """As the system lists them, one by one. What cannot be listed is passed over, as `os.walk` does."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path, name = Path(entry.path), below + entry.name
            if entry.is_dir():
                if not (entry.is_symlink() or entry.name.startswith(".") or _is_results(path)):
                    yield from _in_folder(path, source, f"{name}/")
            elif _is_input(path):
                yield InputFile(path, name, source)


def _is_results(folder: Path) -> bool:
    """Whether a prediction wrote this folder: its pictures are no input."""
    return (folder / "settings.json").is_file() and any(folder.glob("predictions.*"))


def _by_pattern(pattern: Path) -> Iterator[InputFile]:
    """Names are below the last folder that stands in the pattern as it is."""
    plain = next(number for number, part in enumerate(pattern.parts) if glob.has_magic(part))
    folder = Path(*pattern.parts[:plain])
    for path in folder.glob(str(Path(*pattern.parts[plain:]))):
        below = path.relative_to(folder)
        if _is_input(path) and path.is_file() and not any(part.startswith(".") for part in below.parts):
            yield InputFile(path, below.as_posix(), folder)


def _listed(file: Path, line: str, size_mm: float | None = None) -> InputFile:
    """What lies elsewhere than below the list is called by its file name and is a source of its own."""
    folder = Path(os.path.normpath(file.parent))
    path = Path(os.path.normpath(folder / Path(line.strip("\"'")).expanduser()))
    if path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts:
        return InputFile(path, path.relative_to(folder).as_posix(), folder, size_mm)
    return InputFile(path, path.name, path.parent, size_mm)


def _lines(file: Path) -> Iterator[str]:
    """The lines of a list that are neither empty nor comments."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            yield from (line for line in map(str.strip, lines) if line and not line.startswith("#"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read as a list of files ({error}); it must be UTF-8 text with a path a line; correct it"
        ) from error


def _is_input(path: Path) -> bool:
    if path.name.startswith(".") or path.name.upper().startswith("DICOMDIR"):
        return False
    suffix = path.suffix.lower()
    if suffix in _suffixes():
        return not path.stem.endswith(ANNOTATION)
    if suffix.strip(".0123456789"):
        return False
    try:  # no suffix: DICOM files are often called by a number or a UID
        return path.is_file() and any(reader.accepts(path) for reader in readers())
    except OSError:
        return False


@cache
def _suffixes() -> tuple[str, ...]:
    """Those of all readers, common image files first."""
    return tuple(suffix for reader in reversed(readers()) for suffix in reader.suffixes)


def _match(files: InputList, rows: Mapping[str, float], source: Path | None = None, folder: Path | None = None) -> int:
    """Set the sizes that a CSV has for files of a source, below a folder; their number.

    An accent may be written as one character or as two (Unicode's NFC and NFD).
    """
    sizes = {unicodedata.normalize("NFC", name): size for name, size in rows.items()}
    matched = 0

    def size_of(name: str, path: Path) -> float | None:
        nonlocal matched
        parts = PurePath(unicodedata.normalize("NFC", name)).parts
        if folder is not None and not path.is_relative_to(folder):
            return None
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        size = next((sizes[end] for end in ends if end in sizes), None)
        matched += size is not None
        return size

    files.set_sizes(size_of, source)
    return matched
