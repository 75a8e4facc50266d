"""What ``predict.py`` is given: files of images, DICOM and videos, and the pixel sizes that belong to them."""

import glob
import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePath

from fetal_seg.data.archives import extract
from fetal_seg.data.pixel_sizes import pixel_size_csvs, read_pixel_sizes
from fetal_seg.data.sources.hc18 import ANNOTATION
from fetal_seg.errors import InputError
from fetal_seg.files import printable
from fetal_seg.images.reader import readers

LIST_SUFFIXES = (".txt", ".lst")
DEEPEST = 40  # folders that are put before a name to tell it from others

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InputFile:
    """A file to measure.

    Attributes:
        path: where it is; files that a list names may be missing.
        name: what tables call it, with ``/``; of all inputs only this one has it.
        source: the file, folder or archive that it was found by; a CSV of pixel sizes may be beside that.
    """

    path: Path
    name: str
    source: Path


def find_inputs(inputs: str | Sequence[str], cache_dir: Path) -> list[InputFile]:
    """The files that are given, each once: by name within each thing given.

    Args:
        inputs: a file; a folder, with those in it; a pattern such as ``scans/**/*.png``; a list file (``.txt``,
            ``.lst``) with a path a line, relative to its own folder, where ``#`` starts a comment; a ZIP archive of
            a folder; or several of these. Folders, archives and patterns give the files that can be measured by
            their suffix (or first bytes, without one), but none that is hidden, a DICOMDIR, or an outline of HC18.
        cache_dir: where archives are extracted to.

    Raises:
        InputError: nothing is there, or nothing that can be measured. Missing files of a list are no error here:
            they cannot be read later, and the table of results says so.
    """
    by_path: dict[str, InputFile] = {}
    for text in [inputs] if isinstance(inputs, str) else inputs:
        try:
            files = sorted(_files(text, cache_dir), key=lambda file: file.name) if text.strip() else []
        except OSError as error:
            raise InputError(
                f"input={text}: it cannot be looked up ({error.strerror or error}); check the name and its permissions"
            ) from error
        if not files:
            raise InputError(
                f"input={text}: there is nothing to measure; it must hold or name files of {', '.join(_suffixes())}; "
                "correct it"
            )
        for file in files:
            by_path.setdefault(os.path.normpath(file.path.absolute()), replace(file, name=printable(file.name)))
    return _distinctly_named(list(by_path.values()))


def pixel_sizes(files: Sequence[InputFile], csv: Path | None, size_mm: float | None) -> dict[str, float]:
    """Pixel sizes in mm by the files' names: one for all, from the CSV given, or from one beside the inputs.

    A CSV may name a file by its name here, by an end of that (``b/c.png`` of ``a/b/c.png``), or by ``c.png`` alone.
    Files without a size are left out.

    Raises:
        InputError: both a size and a CSV are given, or the CSV cannot be used.
    """
    if csv is not None and size_mm is not None:
        raise InputError("pixel_size_mm and pixel_size_csv are both given; give one of them")
    if size_mm is not None:
        return {file.name: size_mm for file in files}
    if csv is not None:
        rows = read_pixel_sizes(csv)
        matched = _matched(files, rows)
        if rows and not matched:
            raise InputError(
                f"pixel_size_csv={csv} names none of the inputs ({next(iter(rows))}, for instance, "
                f"but not {files[0].name}); correct its names, or leave it out to measure in pixels"
            )
        return matched
    sizes: dict[str, float] = {}
    by_source: dict[Path, list[InputFile]] = {}
    for file in files:
        by_source.setdefault(file.source, []).append(file)
    for source, of_source in by_source.items():
        for folder, table in pixel_size_csvs(source):
            inside = [file for file in of_source if folder is None or file.path.is_relative_to(folder)]
            if matched := _matched(inside, read_pixel_sizes(table)):
                logger.info("pixel sizes from %s", table)
            sizes |= matched
    return sizes


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
        yield from _in_list(path)
    elif path.is_file():
        yield InputFile(path, path.name, path)
    elif glob.has_magic(text):
        yield from _by_pattern(path)
    elif path.exists():
        raise InputError(f"input={text} is neither a file nor a folder but a pipe or a device; give a file")
    else:
        raise InputError(f"input={text}: there is no such file or folder; check the name")


def _in_folder(folder: Path, source: Path) -> Iterator[InputFile]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and not _is_results(Path(parent, name))]
        below = Path(parent).relative_to(folder)
        for name in names:
            if _is_input(path := Path(parent, name)):
                yield InputFile(path, (below / name).as_posix(), source)


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


def _in_list(file: Path) -> Iterator[InputFile]:
    """What lies elsewhere than below the list is called by its file name and is a source of its own."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read as a list of files ({error}); it must be UTF-8 text with a path a line; correct it"
        ) from error
    folder = Path(os.path.normpath(file.parent))
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        path = Path(os.path.normpath(folder / Path(line.strip("\"'")).expanduser()))
        if path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts:
            yield InputFile(path, path.relative_to(folder).as_posix(), folder)
        else:
            yield InputFile(path, path.name, path.parent)


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


def _distinctly_named(files: list[InputFile]) -> list[InputFile]:
    """Put more and more of their folders before names that several files have."""
    deepest = 0
    while repeated := {name for name, times in Counter(file.name for file in files).items() if times > 1}:
        longer = [replace(file, name=_longer(file)) if file.name in repeated else file for file in files]
        deepest += 1
        if longer == files or deepest > DEEPEST:  # paths that differ in characters that are written alike
            return [replace(file, name=f"{file.name}~{number}") for number, file in enumerate(files, start=1)]
        files = longer
    return files


def _longer(file: InputFile) -> str:
    parts = Path(os.path.normpath(file.path.absolute())).parts[1:]
    depth = len(PurePath(file.name).parts) + 1
    return printable("/".join(parts[-depth:]))


def _matched(files: Sequence[InputFile], rows: dict[str, float]) -> dict[str, float]:
    """Sizes by the files' names; an accent may be written as one character or as two (Unicode's NFC and NFD)."""
    sizes = {unicodedata.normalize("NFC", name): size for name, size in rows.items()}
    matched = {}
    for file in files:
        parts = PurePath(unicodedata.normalize("NFC", file.name)).parts
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        if (end := next((end for end in ends if end in sizes), None)) is not None:
            matched[file.name] = sizes[end]
    return matched
