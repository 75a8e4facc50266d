"""A sweep by a real SLURM, whose jobs are disturbed: it ends as one that nobody disturbs on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from tests.conftest import QUICK, ROOT, run_command, table
from tests.trainings import workers

TIMES = ("minutes", "ms_per_image")  # what may differ from one sweep to the next
# Jobs of six lengths, in epochs: the second cannot be; three last long enough to be disturbed
CALM, FAILS, KILLED, REQUEUED, TOO_LONG, LAST = range(6)
EPOCHS = "trainer.max_epochs=2,0,80,81,82,3"
GRID = [*QUICK, "trainer.threads=1", "trainer.log_images=0", "logger=none", EPOCHS]
SLURM = ("hydra/launcher=slurm", "hydra.launcher.partition=local", "hydra.launcher.cpus_per_task=1")
LIMIT = ("hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=120", "hydra.launcher.array_parallelism=2")


def launch(folder, *arguments):
    command = [sys.executable, str(ROOT / "train.py"), *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def scontrol(*arguments):
    subprocess.run(["scontrol", *arguments], check=True, capture_output=True, text=True)


def summary(folder):
    return [{key: value for key, value in row.items() if key not in TIMES} for row in table(folder / "summary.csv")]


def identities_of(sweep):
    return json.loads((sweep / "submitted.json").read_text())


def weights(run):
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def log(run):
    return (run / "train.log").read_text() if (run / "train.log").exists() else ""


@dataclass
class Disturbance:
    """What happens to the jobs of a sweep, each thing once, when its job has a checkpoint."""

    sweep: Path
    done: set = field(default_factory=set)

    def __post_init__(self):
        self.identities = identities_of(self.sweep)

    def step(self):
        for number, disturb in ((KILLED, self.kill), (REQUEUED, self.requeue), (TOO_LONG, self.shorten)):
            run = self.sweep / str(number)
            if number not in self.done and (run / "checkpoints" / "last.ckpt").exists():
                for process in workers(os.getpid(), run):
                    os.kill(process, signal.SIGSTOP)
                    disturb(self.identities[str(number)], process)
                    self.done.add(number)

    def kill(self, identity, process):
        os.kill(process, signal.SIGKILL)

    def requeue(self, identity, process):
        scontrol("requeue", identity)  # which ends with SIGCONT and SIGTERM

    def shorten(self, identity, process):
        """SLURM looks at its limits every half minute; so long the job stands still, until its SIGCONT and SIGUSR2."""
        scontrol("update", f"jobid={identity}", "endtime=now+120")
        end = time.monotonic() + 90
        while "interrupted in epoch" not in log(self.sweep / str(TOO_LONG)) and time.monotonic() < end:
            time.sleep(0.1)
        scontrol("update", f"jobid={identity}", "timelimit=30")


@dataclass(frozen=True)
class Ended:
    """A sweep that was left, taken up again, disturbed meanwhile, and taken up once more."""

    whole: Path
    sweep: Path
    left: str
    first: str
    rows: list
    identities: dict
    meanwhile: dict
    again: str


@pytest.fixture(scope="module")
def ended(slurm, tmp_path_factory, cache_dir):
    folder = tmp_path_factory.mktemp("sweeps")
    sweep, whole, other = folder / "sweep", folder / "whole", tmp_path_factory.mktemp("login")
    grid = ["-m", *GRID, f"data.cache_dir={cache_dir}"]
    with launch(folder, *grid, f"hydra.sweep.dir={sweep}", *SLURM, *LIMIT) as leaving:
        while not (sweep / "submitted.json").exists() and leaving.poll() is None:
            time.sleep(0.1)
        leaving.send_signal(signal.SIGINT)
        left, _ = leaving.communicate(timeout=60)
    undisturbed = launch(folder, *grid, f"hydra.sweep.dir={whole}")
    with launch(other, f"sweep.resume={sweep}") as waiting:
        disturbance = Disturbance(sweep)
        begun = waiting.stdout.readline()  # it has looked at the cluster
        while waiting.poll() is None:
            disturbance.step()
            time.sleep(0.1)
        first = begun + waiting.communicate()[0]
    rows, meanwhile = summary(sweep), identities_of(sweep)
    again = run_command("train.py", f"sweep.resume={sweep}", cwd=other, timeout=400)
    undisturbed.communicate(timeout=400)
    assert disturbance.done == {KILLED, REQUEUED, TOO_LONG}
    return Ended(whole, sweep, left, first, rows, disturbance.identities, meanwhile, again.stdout + again.stderr)


def test_it_can_be_left_and_its_jobs_stay(ended):
    assert "jobs stay queued or running in SLURM; to end them: scancel" in ended.left
    assert f"sweep.resume={ended.sweep}" in ended.left
    assert "Traceback" not in ended.left


def test_what_is_queued_or_runs_is_not_submitted_again(ended):
    """But what has failed by then may be tried again."""
    changed = {number for number, identity in ended.identities.items() if ended.meanwhile[number] != identity}
    assert changed <= {str(FAILS)}
    assert "jobs are queued or running already" in ended.first
    later = identities_of(ended.sweep)
    assert {number for number in later if later[number] != ended.meanwhile[number]} == {str(FAILS), str(KILLED)}


def test_the_end_waits_for_all_and_names_what_failed_and_what_was_cut_off(ended):
    states = [row["status"] for row in ended.rows]
    assert states == ["finished", "failed", "cut off", "finished", "finished", "finished"]
    assert "2 of 6 jobs have no result" in ended.first
    assert "Traceback" not in ended.first


def test_taken_up_once_more_the_table_is_that_of_an_undisturbed_sweep(ended):
    assert summary(ended.sweep) == summary(ended.whole)
    assert "2 jobs submitted to SLURM" in ended.again


@pytest.mark.parametrize("number", [KILLED, REQUEUED, TOO_LONG])
def test_a_disturbed_job_ends_with_the_same_bits(ended, number):
    one, other = weights(ended.sweep / str(number)), weights(ended.whole / str(number))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    assert "going on from" in log(ended.sweep / str(number))


def test_a_job_that_is_told_to_end_saves_at_its_next_step(ended):
    assert "interrupted in epoch" in log(ended.sweep / str(REQUEUED))
    assert "interrupted in epoch" in log(ended.sweep / str(TOO_LONG))


def test_nothing_that_lightning_says_of_slurm_is_heard(ended):
    said = [file.read_text() for file in (ended.sweep / "slurm").glob("*_log.*")]
    assert len(said) >= 16
    assert not any("HINT" in text or "Traceback" in text for text in said)
