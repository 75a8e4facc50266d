"""The end of a sweep or a search: the report of its folder, and in the terminal what has no result and why."""

import json
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from fetal_seg.evaluation.runs import Run, read_runs
from fetal_seg.report.study.write import write_report

if TYPE_CHECKING:
    from rich.table import Table

logger = logging.getLogger(__name__)


def conclude_sweep(folder: Path) -> int:
    """Write the report of a sweep into its folder, print the jobs without a result; returns their number."""
    runs = read_runs([folder])
    command = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))["command"]
    resume = f"python train.py -m sweep.resume={shlex.quote(str(folder))}"
    missing = [run for run in runs if run.status != "finished"]
    again = [f"python {shlex.join(_short(command))}", *([resume] if missing else [])]
    page = write_report(folder, runs, title=f"Sweep {folder.name}", again=again)
    if missing:
        Console().print(failures_table(missing))
        logger.warning("%d of %d jobs have no result; again: %s", len(missing), len(runs), resume)
    logger.info("report: %s", page)
    return len(missing)


def conclude_search(folder: Path, command: Sequence[str]) -> None:
    """Write the report of a search into its folder."""
    page = write_report(
        folder, read_runs([folder]), title=f"Search {folder.name}", again=[f"python {shlex.join(_short(command))}"]
    )
    logger.info("report: %s", page)


def failures_table(runs: Sequence[Run]) -> "Table":
    """Jobs without a result, for the terminal: what they were to run, and why there is none."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title="Jobs without a result", box=SIMPLE_HEAD, show_edge=False)
    for head in ("job", "overrides", "status", "cause"):
        table.add_column(head, overflow="fold")
    for run in runs:
        overrides = " ".join(f"{key}={value}" for key, value in run.overrides.items())
        table.add_row(run.name, overrides, run.status, run.cause or "")
    return table


def _short(command: Sequence[str]) -> list[str]:
    """A command line with the script's name alone."""
    return [Path(command[0]).name, *command[1:]]
