"""The rows of a prediction as they come: a killed run leaves whole rows, and goes on after them."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fetal_seg.errors import InputError, one_line
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import write_text
from fetal_seg.measurement.result import Flag

FrameKey = tuple[str, int | None]  # file and frame

PARTIAL, FINISHED, SETTINGS = "predictions.partial.jsonl", "predictions.jsonl", "settings.json"


class Journal:
    """A file of JSON lines in the results' folder, one row each; it becomes ``predictions.jsonl`` at the end.

    Args:
        folder: of the results.
        settings: what decides the rows; a run goes on only with those it began with.
        resume: keep the rows of an earlier run, finished or cut off; else begin anew.
        is_current: whether a row still holds: others are measured again.

    Attributes:
        rows: all rows so far, in order.
        earlier: all that earlier runs into the folder left, kept or not.

    Raises:
        InputError: the earlier run had other settings.
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, Any],
        *,
        resume: bool,
        is_current: Callable[[Row], bool] = lambda row: True,
    ) -> None:
        self._partial, self._finished = folder / PARTIAL, folder / FINISHED
        self.rows: list[Row] = []
        finished, partial = list(_whole_rows(self._finished)), list(_whole_rows(self._partial))
        self.earlier = [*finished, *partial]
        if resume:
            _check_settings(folder / SETTINGS, settings)
            last = partial if self._partial.is_file() else finished
            # A file that could not be read is tried again
            self.rows = [row for row in last if row["flag"] != Flag.ERROR and is_current(row)]
        write_text(folder / SETTINGS, json.dumps(settings, indent=2) + "\n")
        write_text(self._partial, "".join(map(_line, self.rows)))

    def done(self) -> set[FrameKey]:
        """Which frames have a row."""
        return {(row["file"], row.get("frame")) for row in self.rows}

    def add(self, rows: list[Row]) -> None:
        """Append rows; they are on the disk when this returns, or none of them counts.

        Raises:
            OSError: they cannot be written; the file ends with the last row before them.
        """
        end = self._partial.stat().st_size
        try:
            with self._partial.open("a", encoding="utf-8", newline="") as file:
                file.write("".join(map(_line, rows)))
        except OSError:
            with self._partial.open("r+b") as file:
                file.truncate(end)
            raise
        self.rows += rows

    def finish(self) -> None:
        """Turn the rows, in order of file and frame, into ``predictions.jsonl``."""
        write_text(self._finished, "".join(map(_line, self.rows)))
        self._partial.unlink()

    def discard(self) -> None:
        """Remove what was begun."""
        self._partial.unlink(missing_ok=True)
        if not self._finished.is_file():
            (self._partial.parent / SETTINGS).unlink(missing_ok=True)


def _check_settings(file: Path, settings: dict[str, Any]) -> None:
    if not file.is_file():
        return
    try:
        earlier = dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"predict.resume=true: {file} is damaged ({one_line(error)}); remove its folder, or give another output"
        ) from error
    differing = sorted(key for key in earlier.keys() | settings.keys() if earlier.get(key) != settings.get(key))
    if differing:
        before = ", ".join(f"{key}={earlier.get(key)}" for key in differing)
        raise InputError(
            f"predict.resume=true: {file.parent} was begun with {before}; give the same again, or another output"
        )


def _whole_rows(file: Path) -> Iterator[Row]:
    """The rows of a file, up to one that was cut off, or is damaged: that and those after it are measured again."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as lines, contextlib.suppress(ValueError):
        for line in lines:
            row = json.loads(line)
            if not (isinstance(row, dict) and isinstance(row.get("file"), str) and row.get("flag") in set(Flag)):
                return
            yield row


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
