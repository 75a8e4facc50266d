"""Run folders read for a report: what was asked of each run, how far it came, and what it measured."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from fetal_seg.errors import InputError, one_line
from fetal_seg.evaluation.tables import Row, read_per_image
from fetal_seg.files import is_locked, printable, read_own_csv

JOBS = "sweep.json"  # of a sweep's folder: its jobs
SPACE = "search.json"  # of a search's folder: what it searches
DEEPEST = 4  # folders below the one given in which runs are looked for


class RunStatus(StrEnum):
    """How far a run came; `PRUNED` is given up by a search, `CUT_OFF` one whose process is gone."""

    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"
    FAILED = "failed"
    CUT_OFF = "cut off"
    NOT_STARTED = "not started"


ENDED = (
    *(RunStatus.FINISHED, RunStatus.PRUNED, RunStatus.INTERRUPTED),
    *(RunStatus.DIVERGED, RunStatus.FAILED),
)


@dataclass(frozen=True, eq=False)
class Run:
    """A run, or a job of a sweep that never became one.

    Attributes:
        folder: of the run; absent where the job was not started.
        name: of the folder, or its path where several folders have the same name.
        overrides: the keys given on the command line, in their order, without ``+``; values as text.
        choices: the choice of each configuration group, by group.
        config: values as text of the whole configuration, by dotted key.
        status: how far it came.
        cause: why it failed, in one line; "" otherwise.
        record: the content of ``run.json``.
        curves: the rows of ``metrics.csv`` as text.
        images: the rows of ``evaluation/per_image.csv``.
    """

    folder: Path
    name: str
    overrides: dict[str, str]
    choices: dict[str, str] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    status: RunStatus = RunStatus.NOT_STARTED
    cause: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    curves: list[dict[str, str]] = field(default_factory=list)
    images: list[Row] = field(default_factory=list)

    def setting(self, key: str) -> str | None:
        """The choice of a group or the value of a key, overridden or not; None where the run has no such key."""
        return self.choices.get(key, self.config.get(key, None if self.config else self.overrides.get(key)))

    @property
    def epochs(self) -> int | None:
        """Epochs trained."""
        return self.record.get("epochs", len(self.curves) or None)

    @property
    def minutes(self) -> float | None:
        """Wall time of a run that came to its end, minutes."""
        ended = self.status in (RunStatus.FINISHED, RunStatus.PRUNED) and "wall_time_s" in self.record
        return self.record["wall_time_s"] / 60 if ended else None

    @property
    def checkpoint(self) -> Path:
        """The checkpoint that it was judged by, which may be absent."""
        return self.folder / "checkpoints" / f"{self.setting('checkpoint') or 'best'}.ckpt"


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """The runs in folders, each once, the jobs of a sweep in the order of their numbers.

    Args:
        paths: each a run's folder, a sweep's folder, or a folder with such folders in it.

    Raises:
        InputError: a folder does not exist, holds no run, or has a file that cannot be read.
    """
    runs_by_folder: dict[Path, Run] = {}
    for path in paths:
        if not path.is_dir():
            raise InputError(f"{path} is no folder; give a run's folder, a sweep's, or one that holds such folders")
        runs = list(_runs_in(path, DEEPEST))
        if not runs:
            raise InputError(f"{path} holds no run; give the folder of a training, such as outputs/train/DATE_TIME")
        for run in runs:
            runs_by_folder.setdefault(run.folder.resolve(), run)
    return _named_apart(list(runs_by_folder.values()))


def _runs_in(path: Path, deeper: int) -> Iterator[Run]:
    if (path / JOBS).is_file():
        jobs = read_own_json(path / JOBS).get("jobs")
        if not (isinstance(jobs, list) and all(isinstance(job, list) for job in jobs)):
            raise InputError(f"{path / JOBS} is damaged: it holds no jobs; restore it, or name the jobs' folders")
        numbers = {int(entry.name) for entry in path.iterdir() if entry.name.isdecimal() and _is_run(entry)}
        for number in sorted(numbers | set(range(len(jobs)))):
            yield _read(path / str(number), jobs[number] if number < len(jobs) else [])
    elif _is_run(path):
        yield _read(path, [])
    elif deeper:
        for entry in sorted(path.iterdir(), key=lambda entry: natural_order(entry.name)):
            if entry.is_dir() and not entry.name.startswith("."):
                yield from _runs_in(entry, deeper - 1)


def _is_run(folder: Path) -> bool:
    """Whether this is a run's folder: the other commands, a search among them, have other keys."""
    if (folder / "run.json").is_file() or (folder / "failure.json").is_file():
        return True
    config = read_own_yaml(folder / ".hydra" / "config.yaml")
    return "trainer" in config and "search" not in config


def _read(folder: Path, job: Sequence[str]) -> Run:
    hydra = folder / ".hydra"
    record = read_own_json(folder / "run.json")
    failure = read_own_json(folder / "failure.json")
    status, cause = RunStatus.CUT_OFF if hydra.is_dir() or record else RunStatus.NOT_STARTED, ""
    if is_locked(folder):
        status = RunStatus.RUNNING
    elif record.get("status") in ENDED:
        status, cause = RunStatus(record["status"]), str(record.get("cause", ""))
    elif failure:
        status, cause = RunStatus.FAILED, str(failure.get("cause", ""))
    runtime = _mapping(_mapping(read_own_yaml(hydra / "hydra.yaml").get("hydra")).get("runtime"))
    chosen = _mapping(runtime.get("choices")).items()
    choices = {str(key): str(choice) for key, choice in chosen if choice and "/" not in str(key)}
    config = dict(_flat(read_own_yaml(hydra / "config.yaml")))
    listed = _parsed_file(hydra / "overrides.yaml", yaml.safe_load, "YAML")
    overrides = dict(_parsed(map(str, listed if isinstance(listed, list) else job)))
    resolved = {key: choices.get(key, config.get(key, value)) for key, value in overrides.items()}
    curves, images = folder / "metrics.csv", folder / "evaluation" / "per_image.csv"
    return Run(
        folder,
        folder.name,
        resolved,
        choices or {key: value for key, value in overrides.items() if "." not in key and f"{key}.name" in config},
        config,
        status,
        cause,
        record,
        _epochs(curves) if curves.is_file() else [],
        read_per_image(images) if status == RunStatus.FINISHED and images.is_file() else [],
    )


def _parsed(overrides: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in overrides:
        key, equals, value = text.lstrip("+").partition("=")
        if equals and not key.startswith("~"):
            yield key.split("@")[0], as_text(value)


def _flat(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", as_text(value)


def as_text(value: Any) -> str:
    """A value as a report shows it; equal numbers give equal text, however they are written: 1e-3 and 0.001."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    try:
        return f"{float(value):.12g}"
    except (TypeError, ValueError):
        text = str(value).strip("'\"")
        return {"null": "none", "True": "true", "False": "false"}.get(text, text)


def natural_order(text: str) -> list[tuple[int, float, str]]:
    """A key that sorts 10 after 9 and 0.3 after 0.1, and words after numbers."""
    parts = re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?|\D+", text)
    return [(0, float(part), "") if part[0].isdigit() else (1, 0.0, part) for part in parts]


def _named_apart(runs: list[Run]) -> list[Run]:
    """Runs whose folders have the same name are named by their paths below what they share."""
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return runs
    shared = os.path.commonpath([run.folder.resolve() for run in runs])
    return [replace(run, name=run.folder.resolve().relative_to(shared).as_posix()) for run in runs]


def read_own_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file that this package wrote; empty where there is none.

    Raises:
        InputError: it is damaged.
    """
    content = _parsed_file(path, json.loads, "JSON")
    if not isinstance(content, dict | None):
        raise InputError(f"{path} holds no keys; restore it, or remove the folder it is in")
    return content or {}


def read_own_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file that Hydra wrote; empty where there is none.

    Raises:
        InputError: it is damaged.
    """
    content = _parsed_file(path, yaml.safe_load, "YAML")
    if not isinstance(content, dict | None):
        raise InputError(f"{path} holds no keys; restore it, or remove the folder it is in")
    return {str(key): value for key, value in (content or {}).items()}


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _epochs(metrics_csv: Path) -> list[dict[str, str]]:
    """The rows of the table of epochs, whose cells are numbers or empty.

    Raises:
        InputError: they are not.
    """
    rows = read_own_csv(metrics_csv, ("epoch",))
    try:
        for cell in (cell for row in rows for cell in row.values() if cell):
            float(cell)
    except ValueError as error:
        raise InputError(f"{metrics_csv} is damaged ({one_line(error)}); remove the folder it is in") from error
    return rows


def _parsed_file(path: Path, parse: Callable[[str], Any], kind: str) -> Any:
    """The content of a file; None where there is none."""
    try:
        return parse(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{path} is no {kind} ({printable(one_line(error))}); restore it, or remove the folder it is in"
        ) from error
