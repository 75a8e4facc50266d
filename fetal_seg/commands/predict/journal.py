"""The rows of a prediction as they come: a killed run leaves whole rows, and goes on after them."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fetal_seg.errors import InputError, one_line
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import write_text
from fetal_seg.inference.runtime import UsedRuntime
from fetal_seg.measurement.result import Flag

FrameKey = tuple[str, int | None]  # file and frame

PARTIAL, FINISHED, SETTINGS = "predictions.partial.jsonl", "predictions.jsonl", "settings.json"
RUNTIME = "runtime"  # the setting that decides nothing


class Journal:
    """A file of JSON lines in the results' folder, one row each; it becomes ``predictions.jsonl`` at the end.

    Args:
        folder: of the results.
        settings: what decides the rows; a run goes on only with those it began with.
        used: what runs the networks. A run may go on with another runtime: each was proven to measure the same.
        resume: keep the rows of an earlier run, finished or cut off; else begin anew.
        is_current: whether a row still holds: others are measured again.

    Attributes:
        rows: all rows so far, in order.
        used: all that ran the networks for these rows.
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
        used: Sequence[UsedRuntime] = (),
        is_current: Callable[[Row], bool] = lambda row: True,
    ) -> None:
        self._partial, self._finished = folder / PARTIAL, folder / FINISHED
        self.rows: list[Row] = []
        finished, partial = list(_whole_rows(self._finished)), list(_whole_rows(self._partial))
        self.earlier, self.used = [*finished, *partial], list(used)
        if resume:
            earlier = _read_settings(folder / SETTINGS)
            self.used = list(dict.fromkeys([*_used(earlier), *used]))
            _check_settings(folder, earlier, settings)
            last = partial if self._partial.is_file() else finished
            # A file that could not be read is tried again
            self.rows = [row for row in last if row["flag"] != Flag.ERROR and is_current(row)]
        write_text(
            folder / SETTINGS, json.dumps(settings | {RUNTIME: [asdict(of) for of in self.used]}, indent=2) + "\n"
        )
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


def _read_settings(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"predict.resume=true: {file} is damaged ({one_line(error)}); remove its folder, or give another output"
        ) from error


def _used(settings: dict[str, Any]) -> list[UsedRuntime]:
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
