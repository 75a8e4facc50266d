"""Trainings that end before their time: by signals, losses that are not finite, full disks, errors."""

import resource
import signal
import time

import pytest
import torch

from fetal_seg.evaluation.runs import RunStatus, read_runs
from fetal_seg.report.run import curves
from tests.conftest import run_command, table
from tests.trainings import DIVERGING, KEYS, record, start, wait_for


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_training_from_where_it_goes_on_to_the_bit(number, status, whole, cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir)
    wait_for((run / "metrics.csv").is_file, process)
    time.sleep(0.1)  # into the second epoch
    process.send_signal(number)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert f"go on with: python train.py resume={run}" in told, errors
    assert "Traceback" not in errors
    assert record(run)["status"] == "interrupted"
    assert record(run)["cause"].startswith(signal.Signals(number).name)
    assert [found.status for found in read_runs([run])] == [RunStatus.INTERRUPTED]
    done = run_command("train.py", f"resume={run}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert record(run)["status"] == "finished"
    expected, found = (torch.load(of / "checkpoints/last.ckpt", weights_only=True) for of in (whole, run))
    assert expected["global_step"] == found["global_step"]
    for state in ("state_dict", "current_model_state"):
        assert [key for key in expected[state] if not torch.equal(expected[state][key], found[state][key])] == []
    shown = [[{**row, "seconds": ""} for row in table(of / "metrics.csv")] for of in (whole, run)]
    assert shown[0] == shown[1]


def test_a_second_signal_ends_it_at_once(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, "trainer.max_epochs=500")
    wait_for((run / "metrics.csv").is_file, process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode in (130, 143)
    assert record(run)["status"] == "interrupted"


def test_a_loss_that_is_not_finite_ends_the_training(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, *DIVERGING, "optim.lr=10")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "the loss is not finite in epoch 1, step" in line
    assert "learning rate of 10" in line
    assert "Traceback" not in errors
    assert record(run)["status"] == "diverged"
    assert [found.status for found in read_runs([run])] == [RunStatus.DIVERGED]


def test_in_a_sweep_a_diverged_job_fails_and_the_others_go_on(cache_dir, tmp_path):
    done = run_command(
        *("train.py", "-m", *KEYS, "trainer.max_epochs=1", *DIVERGING, "optim.lr=10,0.01"),
        *(f"data.cache_dir={cache_dir}", "hydra.sweep.dir=sweep"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    diverged, finished = read_runs([tmp_path / "sweep"])
    assert (diverged.status, finished.status) == (RunStatus.DIVERGED, RunStatus.FINISHED)
    assert "the loss is not finite" in diverged.cause


def fail_to_draw():
    def fall(*_):
        raise RuntimeError("the sky fell")

    curves.draw_curves = fall


def test_an_error_is_written_into_the_record(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, "trainer.max_epochs=1", prepare=fail_to_draw)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert (record(run)["status"], record(run)["cause"]) == ("failed", "RuntimeError: the sky fell")
    (found,) = read_runs([run])
    assert (found.status, found.cause) == (RunStatus.FAILED, "RuntimeError: the sky fell")


def limit_files():
    plenty = 120_000  # bytes of a file: a checkpoint has more
    resource.setrlimit(resource.RLIMIT_FSIZE, (plenty, plenty))


def test_a_full_disk_keeps_the_last_whole_checkpoints(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, prepare=limit_files)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert f"{run} cannot be written" in line
    assert "go on with: python train.py " in line
    assert (f"resume={run}" in line) == (run / "checkpoints" / "last.ckpt").is_file()
    assert "Traceback" not in errors
    assert record(run)["status"] == "failed"
