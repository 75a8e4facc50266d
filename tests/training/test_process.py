import os
import subprocess
import sys

import cv2
import psutil
import pytest
import torch
from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment, TorchElasticEnvironment

from fetal_seg.training.process import THREADS, free_cores, processes_environment, use_threads


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


@pytest.mark.parametrize(
    ("started_by", "environment"),
    [
        ({}, LightningEnvironment),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "1", "SLURM_JOB_NAME": "a"}, LightningEnvironment),
        (
            {"SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_PROCID": "0"},
            SLURMEnvironment,
        ),
        ({"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "RANK": "0"}, TorchElasticEnvironment),
    ],
)
def test_who_starts_the_processes_is_known(started_by, environment, monkeypatch):
    for name, value in started_by.items():
        monkeypatch.setenv(name, value)
    assert isinstance(processes_environment(), environment)


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
