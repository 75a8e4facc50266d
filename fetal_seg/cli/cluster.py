"""What runs jobs outside the command that asks for them: SLURM, or processes of this machine, both by submitit."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psutil

import fetal_seg
from fetal_seg.config.extras import check_installed
from fetal_seg.config.launcher import LauncherConfig
from fetal_seg.errors import InputError, one_line

FILES = "slurm"  # the folder of submitit's files, in the sweep's
PATIENCE_S = 60.0  # for an answer of SLURM
SLURM_KEYS = ("partition", "account", "qos", "constraint", "mem_gb")  # that are left out where they are None


class NoAnswerError(RuntimeError):
    """SLURM does not say which jobs there are, at the moment."""


class Cluster(Protocol):
    """Takes jobs, and says which of them are queued or run."""

    title: str

    def room(self, active: int) -> int | None:
        """How many jobs can be submitted beside so many that are active; None for any number."""

    def submit(self, jobs: Sequence[Callable[[], None]]) -> list[str]:
        """Submit jobs; returns the identity of each.

        Raises:
            InputError: they are refused.
        """

    def active(self, identities: Collection[str]) -> set[str]:
        """Those of these jobs that are queued or running.

        Raises:
            NoAnswerError: this is not known.
        """


def open_cluster(config: LauncherConfig, folder: Path) -> Cluster:
    """What `config` names, for the sweep in `folder`.

    Raises:
        InputError: submitit is not installed, or there is no SLURM.
    """
    check_installed("hydra.launcher", ("submitit",), "slurm")
    if config.cluster == "local":
        return LocalProcesses(config, folder)
    if missing := [command for command in ("sbatch", "squeue", "srun") if shutil.which(command) is None]:
        raise InputError(
            f"hydra.launcher.cluster=slurm needs {', '.join(missing)}, not found on this machine; log in to the "
            "cluster, or take hydra/launcher=local"
        )
    return Slurm(config, folder)


class Slurm:
    """Jobs of SLURM; those that are submitted at once are one array."""

    title = "SLURM"

    def __init__(self, config: LauncherConfig, folder: Path) -> None:
        self._config, self._folder = config, folder.resolve() / FILES
        self._name = re.sub(r"[^\w.-]", "_", folder.resolve().name)

    def room(self, active: int) -> int | None:
        """SLURM queues them all."""
        return None

    def submit(self, jobs: Sequence[Callable[[], None]]) -> list[str]:
        """Submit an array."""
        config = self._config
        keys = {key: value for key in SLURM_KEYS if (value := getattr(config, key)) is not None}
        if config.gpus_per_node:
            keys["gpus_per_node"] = config.gpus_per_node
        keys |= {key: getattr(config, key) for key in ("timeout_min", "cpus_per_task", "signal_delay_s")}
        keys |= {"array_parallelism": config.array_parallelism, "name": self._name}
        keys["srun_args"] = [f"--cpus-per-task={config.cpus_per_task}"]  # which srun takes from no sbatch since 22.05
        keys["additional_parameters"] = {"requeue": True, **config.additional_parameters}
        return _submitted("slurm", self._folder, jobs, {**keys, "setup": config.setup or None})

    def active(self, identities: Collection[str]) -> set[str]:
        """Ask ``squeue``."""
        if not identities:
            return set()
        command = ["squeue", "--noheader", "--array", "--format=%i", f"--name={self._name}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoAnswerError(one_line(getattr(error, "stderr", None) or error)) from error
        return set(identities) & set(done.stdout.split())


class LocalProcesses:
    """Processes of this machine."""

    title = "this machine"

    def __init__(self, config: LauncherConfig, folder: Path) -> None:
        self._config, self._folder = config, folder.resolve() / FILES

    def room(self, active: int) -> int | None:
        """What the limit leaves."""
        return max(self._config.array_parallelism - active, 0)

    def submit(self, jobs: Sequence[Callable[[], None]]) -> list[str]:
        """Start processes."""
        config = self._config
        keys = {"timeout_min": config.timeout_min, "gpus_per_node": config.gpus_per_node, "setup": config.setup}
        return _submitted("local", self._folder, jobs, keys)

    def active(self, identities: Collection[str]) -> set[str]:
        """Look at them: a number may have come to another process meanwhile."""
        return {identity for identity in identities if self._lives(int(identity))}

    def _lives(self, number: int) -> bool:
        try:
            process = psutil.Process(number)
            return process.status() != psutil.STATUS_ZOMBIE and str(self._folder) in process.cmdline()
        except psutil.Error:
            return False


def _submitted(cluster: str, folder: Path, jobs: Sequence[Callable[[], None]], keys: dict[str, Any]) -> list[str]:
    """Have submitit submit jobs, which import this same package, wherever it lies."""
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    common = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "name")
    try:
        with _environment():
            executor = submitit.AutoExecutor(folder, cluster=cluster)
            executor.update_parameters(
                **{key if key in common else f"{cluster}_{key}": value for key, value in keys.items()}
            )
            return [str(job.job_id) for job in executor.submit_array(list(jobs))]
    except (FailedJobError, FailedSubmissionError, OSError, subprocess.SubprocessError) as error:
        raise InputError(
            f"{cluster} refuses the jobs ({one_line(error)}); see hydra.launcher's keys, and what sinfo shows"
        ) from error


@contextmanager
def _environment() -> Iterator[None]:
    """What jobs inherit: this package, wherever it lies, and nothing of a job that this process may itself be in."""
    from submitit.helpers import clean_env

    before = dict(os.environ)
    home = str(Path(fetal_seg.__file__).resolve().parents[1])
    needed = {"PYTHONPATH": os.pathsep.join([home, *filter(None, [before.get("PYTHONPATH")])])}
    if "SLURM_CONF" in before:  # the cluster's file, which `clean_env` takes away too
        needed["SLURM_CONF"] = before["SLURM_CONF"]
    try:
        with clean_env():
            os.environ.update(needed)
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
