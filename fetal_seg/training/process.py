"""Threads, processes and messages of a training."""

import logging
import warnings

import cv2
import psutil
import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from fetal_seg.config.processes import starter

THREADS = torch.get_num_threads()  # all cores, or this process's part of them
MOMENT = 0.3  # s, for which other processes are watched


def use_threads(requested: int | None) -> None:
    """Let PyTorch and OpenCV use so many threads; None: what this process started with."""
    torch.set_num_threads(requested or THREADS)
    cv2.setNumThreads(requested or THREADS)


def free_cores() -> int:
    """How many of this process's cores other processes leave idle at the moment, at least 1.

    A training with more threads than that waits at each step of its network for the thread that has no core.
    """
    own = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else None
    used = psutil.cpu_percent(MOMENT, percpu=True)
    idle = sum(100 - used[core] for core in own or range(len(used))) / 100
    return max(round(idle), 1)


def processes_environment() -> ClusterEnvironment:
    """Who starts the processes that train together: ``torchrun``, ``srun``, or Lightning itself.

    Lightning would take every job of SLURM for a training of several processes, and queue it again by itself.
    """
    together = starter()
    if together is None:
        return LightningEnvironment()
    return TorchElasticEnvironment() if together.name == "torchrun" else SLURMEnvironment(auto_requeue=False)


def quiet_lightning() -> None:
    """Send Lightning's messages to the run's log, once, without its hints on products and loaders."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        log = logging.getLogger(name)
        log.handlers.clear()
        log.propagate = True
        log.setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")  # on purpose, on a CPU
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")  # it logs once an epoch
    warnings.filterwarnings("ignore", message=".*`srun` command is available.*")  # nor is it meant for one process
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")  # Lightning's own
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")  # a resumed run
    warnings.filterwarnings("ignore", message=".*Experiment logs directory .* exists and is not empty.*")  # likewise
    torch.set_float32_matmul_precision("high")
