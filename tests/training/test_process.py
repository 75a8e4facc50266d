import os
import subprocess
import sys

import cv2
import psutil
import pytest
import torch

from fetal_seg.training.process import THREADS, free_cores, is_first_process, use_threads


def test_threads_are_set_for_pytorch_and_opencv_and_given_back():
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        use_threads(1)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (1, 1)
        use_threads(None)
        assert torch.get_num_threads() == THREADS
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


@pytest.mark.parametrize(("rank", "is_first"), [(None, True), ("0", True), ("1", False)])
def test_the_first_process_writes(rank, is_first, monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert is_first_process() == is_first


@pytest.mark.parametrize(
    ("used", "own", "free"),
    [
        ([2.0, 7.0], [0, 1], 2),
        ([90.0, 20.0], [0, 1], 1),
        ([100.0, 100.0], [0, 1], 1),
        ([0.0, 0.0, 100.0, 0.0], [0, 1, 2, 3], 3),
        ([0.0, 0.0, 100.0, 0.0], [2, 3], 1),
    ],
)
def test_cores_are_free_that_are_this_processs_and_that_others_leave_idle(used, own, free, monkeypatch):
    monkeypatch.setattr(psutil, "cpu_percent", lambda moment, percpu: used)
    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda process: own)
    assert free_cores() == free


def test_a_busy_process_takes_a_core():
    code = "while True: pass"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(os.cpu_count() or 1)]
    try:
        assert free_cores() == 1
    finally:
        for other in others:
            other.kill()
            other.wait()
