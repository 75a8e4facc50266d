"""What happens to trainings from outside: signals, full disks, other trainings, wrong remedies."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from fetal_seg.evaluation.runs import RunStatus, read_runs
from tests.conftest import QUICK, ROOT, run_command, table

KEYS = [*QUICK, "data.images=60", "trainer.max_epochs=4", "model.dropout=0.1", "trainer.log_images=0", "evaluate=false"]
DIVERGING = ["optim=sgd", "trainer.gradient_clip_val=0", "scheduler=none", "model.norm=none"]  # at a rate of 10


def start(run, cache_dir, *arguments, **options):
    command = [sys.executable, str(ROOT / "train.py"), *KEYS, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *arguments], cwd=run.parent, stdout=pipe, stderr=pipe, text=True, **options)


def wait_for(condition, process, timeout=90):
    end = time.monotonic() + timeout
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


def record(run):
    return json.loads((run / "run.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache_dir):
    """An undisturbed run."""
    run = tmp_path_factory.mktemp("whole") / "run"
    process = start(run, cache_dir)
    assert process.wait(180) == 0, process.stderr.read()
    return run


@pytest.fixture
def copied(whole, tmp_path):
    """A finished run, as it might be in the middle of its training."""
    run = tmp_path / "copied"
    shutil.copytree(whole, run)
    return run


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_training_from_where_it_goes_on_to_the_bit(number, status, whole, cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir)
    wait_for((run / "metrics.csv").is_file, process)
    time.sleep(0.1)  # into the second epoch
    process.send_signal(number)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert f"go on with: python train.py resume={run}" in told
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


def test_an_error_is_written_into_the_record(cache_dir, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'fetal_seg.report.run.curves':\n"
        "            raise RuntimeError('the sky fell')\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    run = tmp_path / "run"
    process = start(run, cache_dir, "trainer.max_epochs=1", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert (record(run)["status"], record(run)["cause"]) == ("failed", "RuntimeError: the sky fell")
    (found,) = read_runs([run])
    assert (found.status, found.cause) == (RunStatus.FAILED, "RuntimeError: the sky fell")


def test_a_killed_run_is_shown_as_cut_off_and_a_living_one_as_running(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, "trainer.max_epochs=500")
    wait_for((run / "metrics.csv").is_file, process)
    assert [found.status for found in read_runs([run])] == [RunStatus.RUNNING]
    second = start(run, cache_dir)
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"another process trains in {run}" in errors
    process.kill()
    process.communicate()
    assert record(run)["status"] == "running"
    assert [found.status for found in read_runs([run])] == [RunStatus.CUT_OFF]


def test_a_full_disk_keeps_the_last_whole_checkpoints(cache_dir, tmp_path):
    run, plenty = tmp_path / "run", 120_000  # bytes of a file: a checkpoint has more

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (plenty, plenty))

    process = start(run, cache_dir, preexec_fn=limit)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert f"{run} cannot be written" in line
    assert f"python train.py resume={run}" in line
    assert "Traceback" not in errors
    assert record(run)["status"] == "failed"


@pytest.mark.parametrize("keys", [[], ["ckpt_path=last"]])
def test_a_finished_run_is_not_overwritten(keys, copied, cache_dir):
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file() and "checkpoints" in str(path)}
    process = start(copied, cache_dir, "optim.lr=0.01", *keys)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert ("holds a run (finished)" if not keys else "optim.lr=0.01 (was 0.02)") in errors
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_of_other_files_is_refused(cache_dir, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.docx").write_text("years of work")
    process = start(run, cache_dir)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "holds other files (thesis.docx)" in errors
    assert [path.name for path in run.iterdir()] == ["thesis.docx"]


class TestResume:
    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ("optim.lr=0.5", "optim.lr=0.5 (was 0.02)"),
            ("optim=sgd", "optim=sgd cannot be given beside resume="),
            ("data.images=40", "data.images=40 (was 60)"),
            ("seed=3", "seed=3 (was 0)"),
            ("trainer.epochs=3", "trainer.epochs=3 (is no key of that run)"),
            ("hydra.run.dir=elsewhere", "hydra.run.dir=elsewhere cannot be given beside resume="),
        ],
    )
    def test_what_would_change_the_result_is_refused_by_name(self, change, refusal, whole, tmp_path):
        done = run_command("train.py", f"resume={whole}", change, cwd=tmp_path)
        assert done.returncode == 2
        assert refusal in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_more_epochs_are_trained(self, copied, tmp_path):
        done = run_command("train.py", f"resume={copied}", "trainer.max_epochs=5", "trainer.threads=1", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(table(copied / "metrics.csv")) == 5
        config = (copied / ".hydra/config.yaml").read_text()
        assert "max_epochs: 5" in config
        assert (copied / "train.log").read_text().count("epoch 5/5") == 1

    @pytest.mark.parametrize("name", ["mistyped", "empty", "of_nothing"])
    def test_a_folder_without_a_run_or_a_checkpoint_is_refused(self, name, copied, tmp_path):
        (tmp_path / "empty").mkdir()
        shutil.copytree(copied, tmp_path / "of_nothing", ignore=shutil.ignore_patterns("checkpoints"))
        rule = {"mistyped": "there is no such folder", "empty": "holds no run", "of_nothing": "holds no checkpoint"}
        done = run_command("train.py", f"resume={name}", cwd=tmp_path)
        assert done.returncode == 2
        assert rule[name] in done.stderr
        assert not (tmp_path / "mistyped").exists()

    def test_the_older_way_has_the_same_checks(self, cache_dir, tmp_path):
        process = start(tmp_path / "mistyped", cache_dir, "ckpt_path=last")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "there is no such folder" in errors
        assert not (tmp_path / "mistyped").exists()

    def test_a_checkpoint_of_another_run_has_them_too(self, whole, cache_dir, tmp_path):
        process = start(tmp_path / "new", cache_dir, f"ckpt_path={whole}/checkpoints/last.ckpt", "optim=sgd")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "optim.name=sgd (was adamw)" in errors
        assert not (tmp_path / "new").exists()
