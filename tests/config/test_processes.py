"""Who started a process, by its environment."""

import pytest

from fetal_seg.config.processes import Starter, is_first_process, starter

OF_TORCHRUN = ("TORCHELASTIC_RUN_ID", "WORLD_SIZE", "RANK", "LOCAL_RANK")
OF_SLURM = ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_NTASKS_PER_NODE")
TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "4", "LOCAL_RANK": "0"}
SRUN = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS_PER_NODE": "2"}
OF_NTASKS = {"SLURM_STEP_NUM_TASKS": "4"}


@pytest.mark.parametrize(
    ("environment", "expected", "is_first"),
    [
        ({}, None, True),
        ({"LOCAL_RANK": "1"}, None, False),  # Lightning's own
        ({**TORCHRUN, "RANK": "0"}, Starter("torchrun", 4, 0), True),
        ({**TORCHRUN, "RANK": "2"}, Starter("torchrun", 4, 2), False),  # the first of the second machine
        ({**SRUN, "SLURM_PROCID": "0"}, Starter("srun", 4, 0), True),
        ({**SRUN, "SLURM_PROCID": "3"}, Starter("srun", 4, 3), False),
        ({**OF_NTASKS, "SLURM_PROCID": "3"}, Starter("srun", 4, 3, knows_machines=False), False),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, None, True),  # a job of a sweep
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "LOCAL_RANK": "1"}, None, False),
    ],
)
def test_who_started_it(environment, expected, is_first, monkeypatch):
    for name in (*OF_TORCHRUN, *OF_SLURM):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert starter() == expected
    assert is_first_process() == is_first
