"""Files that are either whole or not there, whatever kills the process."""

import contextlib
import csv
import errno
import os
import secrets
import shutil
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fetal_seg.errors import InputError, one_line


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` at the end.

    The folder is created. On an exception the temporary file is removed and `path` stays as it was.
    The temporary name keeps the suffix, since many libraries choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` to fill; rename it to `path` at the end.

    If another process has put a folder at `path` meanwhile, that one stays and ours is dropped:
    use it for folders whose content follows from their name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        yield temporary
        with contextlib.suppress(OSError):  # the other process was first
            temporary.rename(path)
        if not path.is_dir():
            raise OSError(f"{path} could not be created")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


NOT_WRITABLE = (  # error numbers of full and read-only disks, and of files where folders are to be
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.ENOTDIR),
)


def check_writable(folder: Path) -> None:
    """Write a little where a folder is, or would be made, and remove it again: modes do not tell of read-only disks.

    Raises:
        OSError: it cannot be written, or is a file.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    with tempfile.TemporaryFile(dir=existing) as probe:
        probe.write(b"0" * 4096)  # a full disk may still make an empty file


def remove_partial_files(folder: Path) -> None:
    """Remove what `whole_file` was writing below `folder` when its process was killed."""
    for path in folder.rglob(".*-????????.*"):
        path.unlink(missing_ok=True)


def printable(text: str) -> str:
    """Text in one line that any file and terminal can hold, of one with names in it.

    Bytes that are no UTF-8 are written as ``\\xff``, control characters, which would steer a terminal, likewise.
    """
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(f"\\x{ord(char):02x}" if unicodedata.category(char) == "Cc" else char for char in plain)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV under a header, whole or not at all; what a row lacks is empty.

    Raises:
        ValueError: a row has a key that is no column.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV by column, as text.

    Raises:
        InputError: it is no text, or a row has more cells than the header.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} is no table ({printable(one_line(error))}); it must be text in UTF-8: restore it, or remove it"
        ) from error
    if any(None in row for row in rows):
        raise InputError(f"{path} is no table: a row has more cells than the header; restore it, or remove it")
    return rows


def read_own_csv(path: Path, needed: Collection[str]) -> list[dict[str, str]]:
    """As `read_csv`, of a table that this package wrote.

    Raises:
        InputError: as `read_csv`; or it is cut off, or has not the columns that are needed.
    """
    rows = read_csv(path)
    if any(None in row.values() for row in rows):
        raise InputError(f"{path} is damaged: a row has fewer cells than the header; restore it, or remove it")
    with path.open("rb") as file:
        if not (first := file.readline()):
            raise InputError(f"{path} is empty; restore it, or remove the folder it is in")
        header = first.decode(errors="replace").strip().split(",")
        file.seek(-1, os.SEEK_END)
        is_cut = file.read() != b"\n"
    if is_cut or not set(needed) <= set(header):
        raise InputError(
            f"{path} is damaged: it is cut off, or another table; restore it, or remove the folder it is in"
        )
    return rows


LOCK = ".lock"  # in a folder that a process works on


def is_locked(folder: Path) -> bool:
    """Whether another process works on a folder."""
    from filelock import FileLock, Timeout

    try:
        if (folder / LOCK).is_file():
            FileLock(folder / LOCK).acquire(timeout=0).lock.release()
    except Timeout:
        return True
    except OSError:  # a folder that cannot be written: nobody trains there
        return False
    return False
