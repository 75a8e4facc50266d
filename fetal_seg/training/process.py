"""Threads, processes and messages of a training."""

import logging
import os
import warnings

import cv2
import torch

THREADS = torch.get_num_threads()  # all cores, or this process's part of them


def use_threads(requested: int | None) -> None:
    """Let PyTorch and OpenCV use so many threads; None: what this process started with."""
    torch.set_num_threads(requested or THREADS)
    cv2.setNumThreads(requested or THREADS)


def is_busy() -> bool:
    """Whether other processes kept more than half of the cores busy in the last minute."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1)


def is_first_process() -> bool:
    """Whether this process writes the files, where several train together."""
    return int(os.environ.get("LOCAL_RANK", "0")) == 0


def quiet_lightning() -> None:
    """Send Lightning's messages to the run's log, once, without its hints on products and loaders."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        log = logging.getLogger(name)
        log.handlers.clear()
        log.propagate = True
        log.setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")  # on purpose, on a CPU
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")  # it logs once an epoch
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")  # Lightning's own
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")  # a resumed run
    torch.set_float32_matmul_precision("high")
