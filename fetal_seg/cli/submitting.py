"""Sweeps whose jobs run outside the command: each is submitted once, and all are waited for.

``submitted.json`` in the sweep's folder says which jobs were submitted, and as what. So the command can be left, and
the sweep taken up again from anywhere.
"""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from fetal_seg.cli.cluster import Cluster, NoAnswerError, open_cluster
from fetal_seg.cli.sweep import Sweep, is_finished
from fetal_seg.cli.sweep_job import SweepJob
from fetal_seg.config.launcher import LauncherConfig
from fetal_seg.errors import InputError, Interrupted, enumerate_names, one_line
from fetal_seg.files import write_text

SUBMITTED = "submitted.json"
SOONEST_S, LATEST_S = 0.5, 20.0  # between two looks at the cluster
SLOWER = 1.1  # each time than the time before

logger = logging.getLogger(__name__)


def submit_and_wait(sweep: Sweep, launcher: LauncherConfig, line: Sequence[str]) -> None:
    """Submit the jobs of a sweep that are neither finished nor active, and wait until none is active.

    Args:
        line: the command line.

    Raises:
        InputError: the cluster cannot be used, or refuses the jobs.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    cluster = open_cluster(launcher, sweep.folder)
    jobs = [SweepJob(sweep, number, tuple(line)) for number in range(len(sweep.jobs()))]
    try:
        _wait(cluster, sweep.folder, jobs)
    except (KeyboardInterrupt, Interrupted):
        _tell_left(cluster, sweep.folder)
        raise


def _wait(cluster: Cluster, folder: Path, jobs: list[SweepJob]) -> None:
    pause = SOONEST_S
    while True:
        try:
            active = cluster.active(_identities(folder).values())
            room = cluster.room(len(active))
            if jobs and room != 0:
                _submit(cluster, folder, jobs[:room])
                jobs = [] if room is None else jobs[room:]
                continue
            if not active:
                return
        except NoAnswerError as error:  # which it may later
            logger.warning("%s does not answer (%s); asking again", cluster.title, error)
        time.sleep(pause)
        pause = min(pause * SLOWER, LATEST_S)


def _submit(cluster: Cluster, folder: Path, jobs: Sequence[SweepJob]) -> None:
    """Submit those of these jobs that are neither active nor finished; commands for one sweep do so in turn."""
    with FileLock(folder / f".{SUBMITTED}.lock"):
        identities = _identities(folder)
        active = cluster.active(identities.values())  # before it is asked what is finished
        going_on = [job for job in jobs if identities.get(str(job.number)) in active]
        fresh = [job for job in jobs if job not in going_on and not is_finished(job.folder)]
        if going_on:
            logger.info("%d jobs are queued or running already", len(going_on))
        if not fresh:
            return
        new = cluster.submit(fresh)
        identities |= {str(job.number): identity for job, identity in zip(fresh, new, strict=True)}
        write_text(folder / SUBMITTED, json.dumps(identities, indent=1) + "\n")
    logger.info("%d jobs submitted to %s: %s", len(fresh), cluster.title, enumerate_names(new))


def _identities(folder: Path) -> dict[str, str]:
    """What the submitted jobs are called there, by their number here."""
    file = folder / SUBMITTED
    try:
        content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return {str(number): str(identity) for number, identity in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{file} cannot be read ({one_line(error)}); remove it once squeue shows no job") from error


def _tell_left(cluster: Cluster, folder: Path) -> None:
    """Say how to end the jobs that stay where the command is left."""
    parents = sorted({identity.partition("_")[0] for identity in _identities(folder).values()})
    if parents and cluster.title == "SLURM":
        logger.info("the jobs stay queued or running in SLURM; to end them: scancel %s", " ".join(parents))
