"""The files of a prediction, in order, in a table on the disk: a million of them take the memory of a thousand.

SQLite keeps the table in memory as long as it is small, then in a temporary file that is gone with the process.
"""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from fetal_seg.config.shards import Shard
from fetal_seg.files import printable

DEEPEST = 40  # folders that are put before a name to tell it from others
REPEATED = "name IN (SELECT name FROM files GROUP BY name HAVING count(*) > 1)"


@dataclass(frozen=True)
class InputFile:
    """A file to measure.

    Attributes:
        path: where it is; files that a list names may be missing.
        name: what tables call it, with ``/``; of all inputs only this one has it.
        source: the file, folder or archive that it was found by; a CSV of pixel sizes may be beside that.
        pixel_size_mm: side of a pixel, as a table or the user says; None where they do not.
    """

    path: Path
    name: str
    source: Path
    pixel_size_mm: float | None = None


class InputList(Collection[InputFile]):
    """Files to measure, each once. It belongs to the thread that made it."""

    def __init__(self) -> None:
        self._table = temporary_database()
        self._table.execute(
            "CREATE TABLE files (number INTEGER PRIMARY KEY, whole_path BLOB UNIQUE, path BLOB, listed TEXT, name TEXT,"
            " source BLOB, pixel_size_mm REAL)"
        )
        self._table.execute("CREATE TABLE given (path BLOB, name BLOB, source BLOB, pixel_size_mm REAL)")
        self._table.create_function("longer", 2, _longer, deterministic=True)
        self._table.create_function("printable", 1, lambda name: printable(_text(name)), deterministic=True)
        self._table.create_function("whole", 1, _whole, deterministic=True)

    def __len__(self) -> int:
        """How many there are."""
        return int(self._one("SELECT count(*) FROM files"))

    def __iter__(self) -> Iterator[InputFile]:
        """All of them, in order."""
        yield from map(_file, self._table.execute(f"SELECT {_COLUMNS} FROM files ORDER BY number"))

    def __contains__(self, file: object) -> bool:
        """Whether a file is among them."""
        return isinstance(file, InputFile) and self.get(file.name) == file

    def get(self, name: str) -> InputFile | None:
        """The file that tables call so."""
        found = self._table.execute(f"SELECT {_COLUMNS} FROM files WHERE name = ?", (name,)).fetchone()
        return found and _file(found)

    def position(self, name: str) -> int:
        """Where a file stands in the order; -1 for one that is not there."""
        found = self._table.execute("SELECT number FROM files WHERE name = ?", (name,)).fetchone()
        return found[0] if found else -1

    def add(self, files: Iterable[InputFile]) -> int:
        """Add the files that one thing gives, in the order of their names, but those that are there; their number."""
        rows = ((_bytes(file.path), _bytes(file.name), _bytes(file.source), file.pixel_size_mm) for file in files)
        self._table.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", rows)
        self._table.execute(
            "INSERT OR IGNORE INTO files (whole_path, path, listed, name, source, pixel_size_mm) SELECT whole(path),"
            " path, printable(name), printable(name), source, pixel_size_mm FROM given ORDER BY given.name, rowid"
        )
        count = int(self._one("SELECT count(*) FROM given"))
        self._table.execute("DELETE FROM given")
        return count

    def tell_apart(self) -> None:
        """Put more and more of their folders before names that several files have; then no other may be added."""
        self._table.execute("CREATE INDEX by_name ON files (name)")
        deepest = 0
        while self._one(f"SELECT EXISTS (SELECT 1 FROM files WHERE {REPEATED})"):
            differing = f"SELECT EXISTS (SELECT 1 FROM files WHERE {REPEATED} AND longer(name, whole_path) != name)"
            deepest += 1
            if deepest > DEEPEST or not self._one(differing):  # paths that differ in characters that are written alike
                self._table.execute("UPDATE files SET name = name || '~' || number")
            else:
                self._table.execute(f"UPDATE files SET name = longer(name, whole_path) WHERE {REPEATED}")

    @property
    def has_sizes(self) -> bool:
        """Whether the pixel size of a file is known."""
        return bool(self._one("SELECT EXISTS (SELECT 1 FROM files WHERE pixel_size_mm IS NOT NULL)"))

    def sources(self) -> list[Path]:
        """What the files were found by."""
        return [Path(_text(source)) for (source,) in self._table.execute("SELECT DISTINCT source FROM files")]

    def set_sizes(self, size_of: Callable[[str, Path], float | None], source: Path | None = None) -> None:
        """Set pixel sizes, in mm, where none is known and a name and a path have one; of one source's files, or all."""
        self._table.create_function("size_of", 2, lambda name, path: size_of(name, Path(_text(path))))
        where, given = ("", ()) if source is None else (" WHERE source = ?", (_bytes(source),))
        self._table.execute(
            f"UPDATE files SET pixel_size_mm = ifnull(pixel_size_mm, size_of(name, path)){where}", given
        )

    def keep(self, shard: Shard) -> None:
        """Keep the files of a shard alone, by what their folder or list calls them, whatever else it holds."""
        self._table.create_function("is_other", 1, lambda listed: listed not in shard, deterministic=True)
        self._table.execute("DELETE FROM files WHERE is_other(listed)")

    def _one(self, query: str) -> Any:
        return self._table.execute(query).fetchone()[0]


_COLUMNS = "path, name, source, pixel_size_mm"


def temporary_database() -> sqlite3.Connection:
    """A database that nobody else sees, and that nobody needs after a crash."""
    database = sqlite3.connect("", isolation_level=None)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    return database


def _file(row: tuple[bytes, str, bytes, float | None]) -> InputFile:
    path, name, source, size = row
    return InputFile(Path(_text(path)), name, Path(_text(source)), size)


def _longer(name: str, whole_path: bytes) -> str:
    parts = Path(_text(whole_path)).parts[1:]
    depth = len(PurePath(name).parts) + 1
    return printable("/".join(parts[-depth:]))


def _whole(path: bytes) -> bytes:
    return _bytes(os.path.normpath(Path(_text(path)).absolute()))


def _bytes(path: str | Path) -> bytes:
    """Names of files need not be text."""
    return str(path).encode("utf-8", "surrogateescape")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
