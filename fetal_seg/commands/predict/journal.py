"""The rows of a prediction as they come: a killed run leaves whole rows, and goes on after them."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from fetal_seg.commands.predict.input_list import temporary_database
from fetal_seg.errors import InputError, one_line
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import whole_file, write_text
from fetal_seg.inference.runtime import UsedRuntime
from fetal_seg.measurement.result import Flag

PARTIAL, FINISHED, SETTINGS = "predictions.partial.jsonl", "predictions.jsonl", "settings.json"
RUNTIME = "runtime"  # the setting that decides nothing
PICTURES = ("mask", "overlay")  # columns that name a file


class Journal:
    """A file of JSON lines in the results' folder, one row each; it becomes ``predictions.jsonl`` at the end.

    Rows are not kept: a table on the disk knows where in the file each begins.

    Args:
        folder: of the results.
        settings: what decides the rows; a run goes on only with those it began with.
        used: what runs the networks. A run may go on with another runtime: each was proven to measure the same.
        resume: keep the rows of an earlier run, finished or cut off; else begin anew.
        is_current: whether a row still holds: others are measured again.
        position: of a file in the order of the inputs.

    Attributes:
        rows: all rows so far, in the order of the inputs.
        used: all that ran the networks for these rows.
        earlier: how many rows earlier runs into the folder left, kept or not.

    Raises:
        InputError: the earlier run had other settings.
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, Any],
        *,
        resume: bool,
        used: Sequence[UsedRuntime] = (),
        is_current: Callable[[Row], bool] = lambda row: True,
        position: Callable[[str], int] = lambda file: 0,
    ) -> None:
        self._partial, self._finished, self._position = folder / PARTIAL, folder / FINISHED, position
        self._table = temporary_database()
        self._table.execute("CREATE TABLE rows (position INTEGER, file TEXT, frame INTEGER, error INTEGER, at INTEGER)")
        self._table.execute("CREATE INDEX by_file ON rows (file, frame)")
        self._table.execute("CREATE TABLE pictures (name TEXT PRIMARY KEY)")
        self.rows, self.used = Rows(self._partial, self._table), list(used)
        if resume:
            earlier = read_settings(folder / SETTINGS)
            self.used = list(dict.fromkeys([*used_runtimes(earlier), *used]))
            _check_settings(folder, earlier, settings)
        self.earlier = sum(self._note_pictures(file) for file in (self._finished, self._partial))
        write_text(
            folder / SETTINGS, json.dumps(settings | {RUNTIME: [asdict(of) for of in self.used]}, indent=2) + "\n"
        )
        last = self._partial if self._partial.is_file() else self._finished
        # A file that could not be read is tried again
        kept = (row for row in whole_rows(last) if row["flag"] != Flag.ERROR and is_current(row)) if resume else ()
        with whole_file(self._partial) as temporary, temporary.open("wb") as file:
            self._write(file, kept, 0)

    def frames_of(self, file: str) -> set[int | None]:
        """Which frames of a file have a row; None stands for a file of a single image."""
        return {frame for (frame,) in self._table.execute("SELECT frame FROM rows WHERE file = ?", (file,))}

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows; they are on the disk when this returns, or none of them counts.

        Raises:
            OSError: they cannot be written; the file ends with the last row before them.
        """
        end = self._partial.stat().st_size
        try:
            with self._partial.open("ab") as file:
                self._write(file, rows, end)
        except OSError:
            with self._partial.open("r+b") as file:
                file.truncate(end)
            self._table.execute("DELETE FROM rows WHERE at >= ?", (end,))
            raise

    def stale_pictures(self) -> Iterator[str]:
        """The masks and overlays that earlier rows name and those of now do not."""
        for row in self.rows if self.earlier else ():
            self._table.executemany("DELETE FROM pictures WHERE name = ?", ((name,) for name in _pictures(row)))
        yield from (name for (name,) in self._table.execute("SELECT name FROM pictures"))

    def finish(self) -> None:
        """Turn the rows, in order of file and frame, into ``predictions.jsonl``."""
        with whole_file(self._finished) as temporary, temporary.open("wb") as file:
            file.writelines(map(_line, self.rows))
        self.rows = Rows(self._finished, None, len(self.rows))
        self._partial.unlink()

    def discard(self) -> None:
        """Remove what was begun."""
        self._partial.unlink(missing_ok=True)
        if not self._finished.is_file():
            (self._partial.parent / SETTINGS).unlink(missing_ok=True)

    def _write(self, file: IO[bytes], rows: Iterable[Row], at: int) -> None:
        for row in rows:
            name, error, line = row["file"], row["flag"] == Flag.ERROR, _line(row)
            place = (self._position(name), name, row.get("frame"), error, at)
            self._table.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", place)
            file.write(line)
            at += len(line)

    def _note_pictures(self, file: Path) -> int:
        """Note which pictures the rows of a file name; the number of rows."""
        count = 0
        for row in whole_rows(file):
            self._table.executemany("INSERT OR IGNORE INTO pictures VALUES (?)", ((name,) for name in _pictures(row)))
            count += 1
        return count


class Rows(Collection[Row]):
    """The rows of a file of JSON lines, read each time they are asked for.

    Args:
        file: of the rows.
        table: where they begin in the file, and what orders them; None for a file in order.
        count: of the rows of a file in order.
    """

    def __init__(self, file: Path, table: sqlite3.Connection | None, count: int = 0) -> None:
        self._file, self._table, self._count = file, table, count

    def __len__(self) -> int:
        """How many there are."""
        if self._table is None:
            return self._count
        return int(self._table.execute("SELECT count(*) FROM rows").fetchone()[0])

    def __iter__(self) -> Iterator[Row]:
        """The rows, in order of file and frame; what broke a file off comes after its frames."""
        if self._table is None:
            yield from whole_rows(self._file)
            return
        places = self._table.execute("SELECT at FROM rows ORDER BY position, error, ifnull(frame, 0), at")
        with self._file.open("rb") as file:
            for (place,) in places:
                file.seek(place)
                yield json.loads(file.readline())

    def __contains__(self, row: object) -> bool:
        """Whether there is such a row."""
        return any(one == row for one in self)


def whole_rows(file: Path) -> Iterator[Row]:
    """The rows of a file, up to one that was cut off, or is damaged: that and those after it are measured again."""
    return (row for row, _ in placed_rows(file))


def placed_rows(file: Path) -> Iterator[tuple[Row, int]]:
    """As `whole_rows`, each with the byte of the file that it ends before."""
    if not file.is_file():
        return
    end = 0
    with file.open("rb") as lines, contextlib.suppress(ValueError):
        for line in lines:
            row = json.loads(line)
            if not (isinstance(row, dict) and isinstance(row.get("file"), str) and row.get("flag") in set(Flag)):
                return
            end += len(line)
            yield row, end


def read_settings(file: Path) -> dict[str, Any]:
    """What decided the rows of a run, and what ran its networks; nothing where there is no file.

    Raises:
        InputError: it is damaged.
    """
    if not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{file} is damaged ({one_line(error)}), so that predict.resume=true cannot go on; remove its folder, or "
            "give another output"
        ) from error


def used_runtimes(settings: dict[str, Any]) -> list[UsedRuntime]:
    """What ran the networks before; versions that did not tell it give none."""
    with contextlib.suppress(TypeError):
        return [UsedRuntime(**told) for told in settings.get(RUNTIME, [])]
    return []


def _check_settings(folder: Path, earlier: dict[str, Any], settings: dict[str, Any]) -> None:
    decisive = (earlier.keys() | settings.keys()) - {RUNTIME} if earlier else ()
    if differing := sorted(key for key in decisive if earlier.get(key) != settings.get(key)):
        before = ", ".join(f"{key}={earlier.get(key)}" for key in differing)
        raise InputError(
            f"predict.resume=true: {folder} was begun with {before}; give the same again, or another output"
        )


def _pictures(row: Row) -> list[str]:
    return [str(row[column]) for column in PICTURES if row.get(column)]


def _line(row: Row) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()
