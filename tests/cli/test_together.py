"""Trainings of several processes that torchrun starts, on "machines" that are process groups of this one."""

import contextlib
import json
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from fetal_seg.cli.together import check_together
from fetal_seg.config.processes import Starter
from fetal_seg.config.training import TrainerConfig
from fetal_seg.errors import InputError
from tests.conftest import QUICK, ROOT, run_command, table
from tests.forking import ForkedCommand

KEYS = [
    *QUICK,
    "data.images=80",
    "data.limit=16",
    "data.batch_size=4",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
]
KEYS += ["data.balance=0", "trainer.log_images=0", "evaluate=false"]
TOGETHER = ["trainer=ddp", "trainer.devices=1", "trainer.num_nodes=2"]


def by_torchrun(keys, cwd, machines=2):
    """A training on so many machines, each with a call of torchrun; the statuses and what was said."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = Path(sys.executable).parent / "torchrun"
    how = [f"--nnodes={machines}", "--nproc-per-node=1", "--master-addr=127.0.0.1", f"--master-port={port}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    calls = [
        ForkedCommand(torchrun, [*how, f"--node-rank={rank}", ROOT / "train.py", *keys], cwd, environment)
        for rank in range(machines)
    ]
    outputs = [call.communicate(timeout=240) for call in calls]
    return [call.returncode for call in calls], ["".join(output) for output in outputs]


@pytest.fixture(scope="module")
def group_norm(cache_dir, tmp_path_factory):
    """The same training by two processes, and by one with batches of twice the size; what the two printed."""
    folder = tmp_path_factory.mktemp("together")
    keys = [*KEYS, "model.norm=group", f"data.cache_dir={cache_dir}"]
    statuses, told = by_torchrun([*keys, *TOGETHER, f"hydra.run.dir={folder}/two"], folder)
    assert statuses == [0, 0], told
    done = run_command("train.py", *keys, "data.batch_size=8", f"hydra.run.dir={folder}/one", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, told


def test_two_machines_train_what_one_does_with_the_same_batches(group_norm):
    folder, _ = group_norm
    two, one = (table(folder / name / "metrics.csv") for name in ("two", "one"))
    assert [row["epoch"] for row in two] == [row["epoch"] for row in one]
    for column in ("train/loss", "val/loss", "train/dice", "val/dice"):
        np.testing.assert_allclose(*([float(row[column]) for row in rows] for rows in (two, one)), rtol=1e-4, atol=1e-5)


def test_the_first_of_them_writes_the_run_and_says_what_a_step_takes(group_norm):
    folder, (first, second) = group_norm
    record = json.loads((folder / "two" / "run.json").read_text())
    assert (record["status"], record["processes"]) == ("finished", 2)
    assert "2 processes train together: a step takes 8 images" in first
    assert "processes train together" not in second
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]
    assert sorted(path.name for path in (folder / "two").glob("*.log")) == ["train.log"]
    assert (folder / "two" / ".hydra" / "config.yaml").is_file()


def test_who_goes_on_with_another_number_of_processes_is_told_what_that_does(group_norm):
    folder, _ = group_norm
    line = [f"resume={folder}/two", "trainer.max_epochs=3", "trainer.num_nodes=1", "trainer.strategy=auto"]
    done = run_command("train.py", *line, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "goes on with 1 processes instead of 2: a step takes 4 images instead of 8" in done.stdout
    assert len(table(folder / "two" / "metrics.csv")) == 3


SRUN = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_NTASKS_PER_NODE": "2"}


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("predict.py", ["input=a.png"], "srun starts 2 times the same predict"),
        ("train.py", ["-m", "data=phantom", "seed=0,1"], "srun starts 2 times the same sweep"),
        ("train.py", ["data=phantom", "hydra.run.dir=run"], "would each train alone; add trainer=ddp"),
        ("train.py", ["data=phantom", "trainer=ddp"], "a folder of its own; add hydra.run.dir=FOLDER"),
        (
            "train.py",
            ["data=phantom", "trainer=ddp", "trainer.devices=4", "hydra.run.dir=run"],
            "starts 2 processes, but",
        ),
    ],
)
def test_processes_that_do_not_fit_are_refused(script, arguments, words, tmp_path):
    done = run_command(script, *arguments, cwd=tmp_path, env=SRUN)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_srun_says_how_many_are_on_each_machine():
    trainer = TrainerConfig(strategy="ddp", devices=2)
    check_together(trainer, Starter("srun", 2, 0))
    with pytest.raises(InputError, match="give it --ntasks-per-node=2 instead of --ntasks"):
        check_together(trainer, Starter("srun", 2, 0, knows_machines=False))


def test_machines_without_a_starter_are_refused(tmp_path):
    done = run_command("train.py", "data=phantom", "trainer=ddp", "trainer.num_nodes=2", cwd=tmp_path)
    assert done.returncode == 2
    assert "trainer.num_nodes=2 needs torchrun or srun" in done.stderr
