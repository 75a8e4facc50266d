"""``report.py predictions=[...]``: one table and one page of what many predictions measured, parts of an input say.

Each row is read and written by itself; between lies a table on the disk, which puts them in the order of their names.
"""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fetal_seg.commands.command_line import as_typed
from fetal_seg.commands.predict.input_list import temporary_database
from fetal_seg.commands.predict.journal import (
    FINISHED,
    PARTIAL,
    PICTURES,
    SETTINGS,
    Rows,
    placed_rows,
    read_settings,
    used_runtimes,
)
from fetal_seg.config.commands import ReportConfig
from fetal_seg.config.shards import FOLDER, Shard
from fetal_seg.errors import InputError, enumerate_names, refuse
from fetal_seg.evaluation.tables import Row
from fetal_seg.files import whole_file
from fetal_seg.measurement.result import Flag
from fetal_seg.report.prediction.page import write_page
from fetal_seg.report.prediction.tables import check_parquet, write_tables
from fetal_seg.report.prediction.totals import Totals

logger = logging.getLogger(__name__)

MAY_DIFFER = ("runtime", "shard", "ckpt", "overlays", "picture_format")  # settings that decide no number


@dataclass(frozen=True)
class Part:
    """A folder of results, as ``predict.py`` left it."""

    folder: Path

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What decided its rows."""
        return read_settings(self.folder / SETTINGS)

    @property
    def shard(self) -> Shard | None:
        """Which part of the input it is of; None for all of it."""
        return Shard.from_text(text) if (text := self.settings.get("shard")) else None

    @property
    def is_finished(self) -> bool:
        """Whether its prediction came to its end."""
        return not (self.folder / PARTIAL).is_file() and (self.folder / FINISHED).is_file()

    @property
    def rows_file(self) -> Path:
        """Where its rows are: a prediction that was cut off has them elsewhere than one that came to its end."""
        return self.folder / (FINISHED if self.is_finished else PARTIAL)


def run(config: ReportConfig, run_dir: Path, command_line: Sequence[str]) -> None:
    """Merge the rows of predictions into tables and a page in `run_dir`, and say what is missing.

    Raises:
        InputError: a folder holds no prediction, or they were measured with different settings: nothing is written.
            Or rows are missing, or files were measured twice: what is there is written before.
    """
    parquet = config.format == "parquet"
    if parquet:
        check_parquet()
    parts = [part for folder in config.predictions for part in find_parts(Path(folder).expanduser())]
    if any(part.folder.resolve() == run_dir.resolve() for part in parts):
        raise InputError(f"output={run_dir} is one of the predictions; give another folder")
    check_settings(parts)
    merged = _Merged(parts)
    problems = [*missing_shards(parts), *merged.problems]
    if not merged.count:
        raise InputError("; ".join(problems) or "predictions=[...]: they have no rows; nothing was measured")
    rows = merged.write(run_dir)
    totals = Totals.of(rows)
    write_tables(run_dir, rows, parquet=parquet)
    write_page(
        run_dir / "report.html",
        rows,
        totals,
        checkpoint=", ".join(parts[0].settings.get("ckpt", [])),
        runtime="; ".join(dict.fromkeys(str(used) for part in parts for used in used_runtimes(part.settings))),
        command=as_typed(command_line),
        most=config.page_rows,
        notes=problems,
    )
    logger.info("%s\nresults: %s", totals.sentence, run_dir)
    if problems:
        refuse([*problems, f"{run_dir} has what is there"])


def find_parts(folder: Path) -> list[Part]:
    """The results in a folder: its own, and those of shards of an input.

    Raises:
        InputError: there are none.
    """
    folders = [folder, *sorted((folder / FOLDER).glob("*-of-*"))]
    parts = [Part(path) for path in folders if (path / SETTINGS).is_file()]
    if not parts:
        raise InputError(
            f"predictions={folder}: there are no results of predict.py in it; give the folder that was its output"
        )
    return parts


def check_settings(parts: Sequence[Part]) -> None:
    """See that all were measured alike.

    Raises:
        InputError: they were not.
    """
    first = parts[0]
    for part in parts[1:]:
        keys = sorted((first.settings.keys() | part.settings.keys()) - set(MAY_DIFFER))
        if differing := [key for key in keys if first.settings.get(key) != part.settings.get(key)]:
            here, there = (", ".join(f"{key}={one.settings.get(key)}" for key in differing) for one in (first, part))
            raise InputError(
                f"{first.folder} was measured with {here}, and {part.folder} with {there}; rows are merged where "
                "these agree: measure one of them again, or leave it out"
            )


def missing_shards(parts: Sequence[Part]) -> list[str]:
    """Sentences about shards of which others are there."""
    by_input: dict[tuple[Path, int], set[int]] = {}
    for part in parts:
        if part.shard:
            by_input.setdefault((part.folder.parent.parent, part.shard.count), set()).add(part.shard.number)
    sentences = []
    for (folder, count), there in by_input.items():
        if missing := [str(number) for number in range(1, count + 1) if number not in there]:
            sentences.append(
                f"of {count} shards {enumerate_names(missing, most=10)} {'is' if len(missing) == 1 else 'are'} missing "
                f"in {folder}; measure them by predict.shard={missing[0]}/{count} and so on"
            )
    return sentences


class _Merged:
    """The rows of all parts, in the order of their files' names; of a file that several have, the first part's.

    Attributes:
        count: of the rows.
        problems: sentences about parts that are not whole, and files that were measured twice.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts, self._table = parts, temporary_database()
        self._table.execute("CREATE TABLE rows (file TEXT, error INTEGER, frame INTEGER, part INTEGER, line TEXT)")
        self.problems = [problem for number, part in enumerate(parts) if (problem := self._add(part, number))]
        self._table.execute("CREATE INDEX by_name ON rows (file, error, frame, part)")
        self.problems += self._remove_repeated()
        self.count = int(self._one("SELECT count(*) FROM rows"))

    def write(self, folder: Path) -> Rows:
        """Write ``predictions.jsonl``, with the places of pictures as they are seen from its folder; its rows."""
        folder.mkdir(parents=True, exist_ok=True)
        prefixes = [os.path.relpath(part.folder, folder) for part in self._parts]
        with whole_file(folder / FINISHED) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in self._rows(prefixes))
        return Rows(folder / FINISHED, None, self.count)

    def _rows(self, prefixes: Sequence[str]) -> Iterator[Row]:
        for line, part in self._table.execute("SELECT line, part FROM rows ORDER BY file, error, frame"):
            row = json.loads(line)
            for kind in PICTURES:
                if row.get(kind):
                    row[kind] = Path(prefixes[part], row[kind]).as_posix()
            yield row

    def _add(self, part: Part, number: int) -> str | None:
        whole = 0
        for row, end in placed_rows(part.rows_file):
            whole = end
            values = (row["file"], row["flag"] == Flag.ERROR, row.get("frame") or 0, number, json.dumps(row))
            self._table.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", values)
        if not part.is_finished:
            return f"{part.folder} is unfinished; go on with it by predict.resume=true"
        if whole < part.rows_file.stat().st_size:
            return f"{part.rows_file} is damaged after {whole} bytes; measure the rest by predict.resume=true"
        return None

    def _remove_repeated(self) -> list[str]:
        repeated = "SELECT file FROM rows GROUP BY file HAVING min(part) < max(part)"
        names = [name for (name,) in self._table.execute(f"{repeated} LIMIT 5")]
        if not names:
            return []
        count = int(self._one(f"SELECT count(*) FROM ({repeated})"))
        self._table.execute(
            "DELETE FROM rows WHERE part > (SELECT min(part) FROM rows AS other WHERE other.file = rows.file)"
        )
        more = f" and {count - len(names)} more" if count > len(names) else ""
        return [f"measured twice: {', '.join(names)}{more}; the rows of the first folder are taken"]

    def _one(self, query: str) -> Any:
        return self._table.execute(query).fetchone()[0]
