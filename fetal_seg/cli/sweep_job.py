"""A job of a sweep in a process that a cluster starts: it saves a checkpoint on a signal, and is queued again."""

import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetal_seg.cli.overrides import naming
from fetal_seg.cli.run_folder import CHECKPOINT
from fetal_seg.cli.sweep import FOLDER, Sweep
from fetal_seg.errors import Interrupted, one_line

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepJob:
    """What submitit stores and calls, once for each time that the cluster starts the job.

    Attributes:
        number: of the job.
        line: the command line of the sweep.
    """

    sweep: Sweep
    number: int
    line: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Of the run."""
        return self.sweep.folder / str(self.number)

    def __call__(self) -> None:
        """Run the job, or go on with it; a signal ends the process when what there is was saved."""
        from fetal_seg.cli.ending import ending_well

        begun = time.time()
        for number in (signal.SIGUSR2, signal.SIGTERM):  # submitit's would end the process amid a step
            signal.signal(number, signal.SIG_DFL)
        if cores := os.environ.get("SLURM_CPUS_PER_TASK"):
            os.environ.setdefault("OMP_NUM_THREADS", cores)
        with ending_well(lambda: "interrupted"):
            try:
                self._run()
            except Interrupted as told:
                told.is_told = True
                if told.number == signal.SIGUSR2:  # of submitit; what gets SLURM's own SIGTERM, SLURM queues again
                    self._queue_again(begun)
                raise

    def _run(self) -> None:
        from fetal_seg.cli.app import by_hydra

        kept = [text for text in self.sweep.launching if text not in self.sweep.launcher_keys]
        by_hydra(
            _train,
            "train",
            list(self.line),
            [
                *naming(self.sweep.config_name, self.sweep.overrides),
                "-m",
                *self.sweep.jobs()[self.number],
                *kept,
                "hydra/launcher=basic",
                f"{FOLDER}={self.sweep.folder}",
                f"hydra.sweep.subdir={self.number}",
            ],
        )

    def _queue_again(self, begun: float) -> None:
        """Have SLURM queue this job again, if it has come any further since it `begun`."""
        identity = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
        name = "_".join(part for part in identity if part) or os.environ.get("SLURM_JOB_ID")
        checkpoint = self.folder / CHECKPOINT
        if not checkpoint.is_file() or checkpoint.stat().st_mtime < begun:
            logger.warning("no checkpoint was saved in this time, so the job is not queued again: give more time")
        elif name:
            try:
                subprocess.run(["scontrol", "requeue", name], check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as error:
                why = one_line(getattr(error, "stderr", None) or error)
                logger.warning(
                    "SLURM does not queue the job again (%s); go on by sweep.resume=%s", why, self.sweep.folder
                )


def _train(config: Any, run_dir: Path, command_line: list[str]) -> None:
    from fetal_seg.commands.train import run

    run(config, run_dir, command_line)
