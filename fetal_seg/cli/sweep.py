"""Sweeps of ``train.py -m``: jobs that fail alone, are resumed where they were cut off, and end in one report.

``sweep.json`` in the sweep's folder says what the jobs are; job number n has the folder ``n``. A job that
fails leaves ``failure.json`` there, with its cause, and the others go on.
"""

import contextlib
import json
import logging
import multiprocessing
import os
import shutil
import signal
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from fetal_seg.cli.orphans import end_if_orphaned, end_with_parent
from fetal_seg.cli.overrides import grid_overrides, is_of_hydra, jobs_of, last_value, naming, with_present_key
from fetal_seg.cli.run_folder import status_of
from fetal_seg.commands.command_line import as_typed, called_alike
from fetal_seg.errors import InputError, Interrupted, cause_of
from fetal_seg.files import LOCK, write_text

if TYPE_CHECKING:
    from fetal_seg.config.launcher import LauncherConfig

JOBS_FILE, FAILURE = "sweep.json", "failure.json"
FOLDER, LAUNCHER = "hydra.sweep.dir", "hydra/launcher="

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sweep:
    """What a sweep runs.

    Attributes:
        folder: of the sweep.
        given: the user's overrides, without Hydra's own.
        overrides: the same with the grid of the configuration.
        launching: Hydra's own overrides, which say how jobs are run and do not change their results.
        config_name: of another file than the command's own, in a user's folder.
        launcher: where jobs are submitted; None where a launcher of Hydra's runs them.
    """

    folder: Path
    given: list[str]
    overrides: list[str]
    launching: list[str]
    config_name: str | None = None
    launcher: "LauncherConfig | None" = None

    @property
    def launcher_keys(self) -> list[str]:
        """Those of `launching` that say what runs the jobs."""
        return [text for text in self.launching if text.lstrip("+").startswith(("hydra/launcher", "hydra.launcher"))]

    @property
    def arguments(self) -> list[str]:
        """The command line for Hydra."""
        return [
            *naming(self.config_name, self.overrides),
            "-m",
            *self.overrides,
            *self.launching,
            f"{FOLDER}={self.folder}",
        ]

    def jobs(self) -> list[list[str]]:
        """The overrides of each job, in Hydra's order."""
        return jobs_of(self.overrides)


def plan_sweep(
    overrides: Sequence[str], grid: Callable[[list[str]], dict[str, list[Any]]], config_name: str | None = None
) -> Sweep:
    """The sweep that a command line asks for: a new one, or one to go on with.

    Args:
        overrides: in Hydra's form.
        grid: gives the grid that the configuration declares, by key, for these overrides.
        config_name: of another file than the command's own.

    Raises:
        InputError: the folder to go on with is none, or is of another sweep; or the jobs' folders are renamed.
    """
    launching = [text for text in overrides if is_of_hydra(text)]
    given = [text for text in overrides if text not in launching and not text.startswith("++sweep.resume=")]
    if last_value(launching, "hydra.sweep.subdir"):
        raise InputError("hydra.sweep.subdir names the folders of jobs, which are their numbers; leave it out")
    resumed, named = last_value(overrides, "sweep.resume"), last_value(launching, FOLDER)
    launching = [text for text in launching if not text.startswith(f"{FOLDER}=")]
    if resumed:
        return _resumed(Path(resumed).expanduser(), given, launching)
    folder = Path(named).expanduser() if named else Path("outputs", "sweep", f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}")
    if (folder / JOBS_FILE).exists():
        raise InputError(f"{folder} holds a sweep; go on with it by sweep.resume={folder}, or take another folder")
    return Sweep(folder, given, [*given, *grid_overrides(grid(given), given)], launching, config_name)


def _resumed(folder: Path, given: list[str], launching: list[str]) -> Sweep:
    try:
        content = json.loads((folder / JOBS_FILE).read_text(encoding="utf-8"))
        stored, overrides = ([with_present_key(text) for text in content[key]] for key in ("given", "overrides"))
        stored_launching = list(content.get("launching", []))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"sweep.resume={folder} holds no sweep ({JOBS_FILE} cannot be read); give its folder"
        ) from error
    if given and sorted(given) != sorted(stored):
        raise InputError(
            f"sweep.resume={folder} is a sweep over {' '.join(stored) or 'the defaults'}, not over {' '.join(given)}; "
            "give the same keys or none, or start a new sweep"
        )
    if not any(text.startswith(LAUNCHER) for text in launching):  # more memory, say, for the same launcher
        launching = [*stored_launching, *launching]
    return Sweep(folder, stored, overrides, launching, content.get("config_name"))


def run_sweep(sweep: Sweep, line: Sequence[str], launch: Callable[[], None]) -> int:
    """Run all jobs, and write the report, whatever becomes of them; the exit status.

    Args:
        line: the command line.
        launch: runs the jobs.
    """
    is_new = not (sweep.folder / JOBS_FILE).exists()
    if is_new:
        content = {"command": list(line), "given": sweep.given, "overrides": sweep.overrides, "jobs": sweep.jobs()}
        content |= {"launching": sweep.launching, "config_name": sweep.config_name}
        write_text(sweep.folder / JOBS_FILE, json.dumps(content, indent=1) + "\n")
    beside = any(text.startswith(LAUNCHER) for text in sweep.launching)
    interrupted = 0
    try:
        for _ in range(2 if beside else 1):
            with contextlib.suppress(SystemExit):  # Hydra's, when a worker process died: it takes the others with it
                launch()
                break
    except InputError:  # the cluster refuses it, and no job was started
        if is_new:
            shutil.rmtree(sweep.folder)
        raise
    except KeyboardInterrupt:
        interrupted = 128 + signal.SIGINT
    except Interrupted as signalled:
        interrupted = signalled.status
    from fetal_seg.commands.report import conclude_sweep

    unfinished = conclude_sweep(sweep.folder)
    if interrupted:
        again = called_alike(line, "train", f"sweep.resume={sweep.folder}")
        logger.info("interrupted; go on with: %s", as_typed(again))
    return interrupted or int(unfinished > 0)


def run_job(task: Callable[[], None], run_dir: Path) -> None:
    """Run one job in its folder, alone; what goes wrong is written there and logged, not raised."""
    with _alone(run_dir):
        if is_finished(run_dir):
            logger.info("job %s was finished before", run_dir.name)
            return
        parent = os.getppid()
        if multiprocessing.parent_process() is not None:
            end_with_parent()
        try:
            (run_dir / FAILURE).unlink(missing_ok=True)
            task()
        except Interrupted:
            end_if_orphaned(parent)
            raise
        except Exception as error:
            record_failure(run_dir, error)


def record_failure(run_dir: Path, error: Exception) -> None:
    """Write why a job failed into its folder, and log it."""
    cause = cause_of(error)
    write_text(run_dir / FAILURE, json.dumps({"cause": cause, "traceback": traceback.format_exc()}, indent=1) + "\n")
    logger.error("job %s failed: %s\nthe others go on", run_dir.name, cause)


def is_finished(run_dir: Path) -> bool:
    """Whether a run has come to its end."""
    return status_of(run_dir) == "finished"


def _alone(run_dir: Path) -> AbstractContextManager[Any]:
    """Wait until no other process works on this job: workers may outlive a sweep that was killed."""
    lock = FileLock(run_dir / LOCK)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        logger.info("job %s is still running in another process; waiting for it", run_dir.name)
        return lock.acquire()
