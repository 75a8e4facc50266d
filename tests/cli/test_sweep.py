"""Sweeps by their command: jobs that fail alone, kills and resumes, jobs side by side, and the same table from all."""

import csv
import json
import os
import signal
import time

import pytest
import torch

from tests.conftest import QUICK, ROOT, run_command
from tests.forking import ForkedCommand
from tests.trainings import workers

GRID = [*QUICK, "trainer.threads=1", "trainer.log_images=0", "model.depth=3,9,2"]
TIMES = ("minutes", "ms_per_image")  # what may differ from one sweep to the next


def arguments(folder, cache_dir, *more):
    return ["-m", *GRID, f"data.cache_dir={cache_dir}", f"hydra.sweep.dir={folder}", *more]


def table(folder):
    with (folder / "summary.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key not in TIMES} for row in csv.DictReader(file)]


def weights(run):
    content = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return content["state_dict"]


def same_weights(one, other):
    return all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(one).items())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cache_dir):
    """A sweep of three jobs of which the second fails, and what its command said."""
    folder = tmp_path_factory.mktemp("sweeps") / "undisturbed"
    return folder, run_command("train.py", *arguments(folder, cache_dir), cwd=folder.parent, timeout=200)


def test_a_job_that_fails_does_not_stop_the_others(undisturbed):
    folder, done = undisturbed
    assert done.returncode == 1, done.stderr
    rows = table(folder)
    assert [row["job"] for row in rows] == ["0", "1", "2"]
    assert [row["status"] for row in rows] == ["finished", "failed", "finished"]
    assert [row["model.depth"] for row in rows] == ["3", "9", "2"]
    assert all(float(rows[job]["ellipse_dice"]) > 0 and float(rows[job]["adf_mm"]) > 0 for job in (0, 2))
    assert "at most 8" in rows[1]["cause"]


def test_the_failed_job_is_named_at_the_end(undisturbed):
    folder, done = undisturbed
    end = done.stdout[done.stdout.index("Jobs without a result") :]
    assert "model.depth=9" in end.replace("\n", "")
    assert "failed" in end
    assert "at most 8" in " ".join(end.split())
    assert f"sweep.resume={folder}" in (done.stdout + done.stderr).replace("\n", "")
    assert "Traceback" not in done.stderr + done.stdout
    page = (folder / "report.html").read_text()
    assert "model.depth" in page
    assert "at most 8" in page


def test_a_job_tells_its_own_command_and_it_gives_the_same_alone(undisturbed, tmp_path):
    """No state leaks: the last job of the sweep, run alone, ends with the same bits."""
    folder, _ = undisturbed
    command = json.loads((folder / "2" / "run.json").read_text())["command"]
    assert command[0] == "train.py"
    assert "++model.depth=2" in command
    done = run_command(*command, f"hydra.run.dir={tmp_path}/alone", "evaluate=false", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert same_weights(folder / "2", tmp_path / "alone")


def scores(folder, column="ellipse_dice"):
    with (folder / "per_image.csv").open(newline="") as file:
        return {row["file"]: float(row[column]) for row in csv.DictReader(file)}


def test_two_checkpoints_are_compared_on_the_same_images(undisturbed, cache_dir, tmp_path):
    folder, _ = undisturbed
    paths = [folder / job / "checkpoints" / "best.ckpt" for job in "02"]
    done = run_command(
        "evaluate.py", f"ckpt=[{paths[0]},{paths[1]}]", f"data.cache_dir={cache_dir}", "output=out", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "comparison.csv").open(newline="") as file:
        dice, adf = csv.DictReader(file)
    assert {dice["first"], dice["second"]} == {"depth 3", "depth 2"}
    one, other = (scores(folder / job / "evaluation") for job in "02")
    expected = 100 * sum(one[name] - other[name] for name in one) / len(one)
    sign = 1 if dice["first"] == "depth 3" else -1
    assert float(dice["difference"]) == pytest.approx(sign * expected, abs=1e-3)
    assert float(dice["low"]) <= float(dice["difference"]) <= float(dice["high"])
    assert int(dice["images"]) == len(one)
    assert dice["sentence"] in " ".join(done.stdout.split())
    assert adf["measure"].startswith("ADF")


def test_a_report_over_any_runs(undisturbed, trained, tmp_path):
    folder, _ = undisturbed
    done = run_command("report.py", f"runs=[{folder},{trained}]", "title=Both", "output=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "summary.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 4
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<h1>Both</h1>" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    done = run_command("report.py", "runs=[nowhere]", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere is no folder" in done.stderr


def start(folder, cache_dir):
    return ForkedCommand(ROOT / "train.py", arguments(folder, cache_dir), folder.parent)


def test_killed_and_resumed_it_gives_the_same_table(undisturbed, tmp_path, cache_dir):
    whole, _ = undisturbed
    killed = tmp_path / "killed"
    process = start(killed, cache_dir)
    third = killed / "2" / "checkpoints" / "last.ckpt"
    end = time.monotonic() + 120
    while not third.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert third.exists()
    assert not (killed / "summary.csv").exists()
    before = (killed / "0" / "run.json").stat().st_mtime_ns
    done = run_command("train.py", f"sweep.resume={killed}", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert table(killed) == table(whole)
    assert (killed / "0" / "run.json").stat().st_mtime_ns == before
    assert "going on from" in (killed / "2" / "train.log").read_text()
    assert all(same_weights(killed / job, whole / job) for job in "02")


@pytest.fixture(scope="module")
def beside(program, tmp_path_factory, cache_dir):
    """By the program, in processes of their own, of which the first is killed, as for want of memory.

    The folder of the sweep, the exit status, and what was said.
    """
    elsewhere = tmp_path_factory.mktemp("some where")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    sweep = ForkedCommand(program, ["train", *arguments("a sweep", cache_dir, *launcher)], elsewhere)
    end = time.monotonic() + 120
    while not (victims := workers(sweep.pid, elsewhere)) and sweep.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(victims[0], signal.SIGKILL)
    told = sweep.communicate(timeout=200)
    return elsewhere / "a sweep", sweep.returncode, " ".join(" ".join(told).split())


def test_side_by_side_it_gives_the_same_table_even_if_a_worker_is_killed(undisturbed, beside):
    """No job is lost, and none differs."""
    whole, _ = undisturbed
    folder, status, told = beside
    assert status == 1, told
    assert table(folder) == table(whole)
    assert all(same_weights(folder / job, whole / job) for job in "02")


def test_jobs_in_processes_are_called_as_the_sweep_was(beside, program):
    folder, _, told = beside
    record = json.loads((folder / "0" / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["command"][:2] == [str(program), "train"]
    assert "again: fetal-seg train 'sweep.resume=a sweep'" in told
    assert "fetal-seg train -m" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_sweep_and_a_run_go_on_by_the_program(beside, program):
    folder, *_ = beside
    done = run_command(program, "train", "sweep.resume=a sweep", cwd=folder.parent, timeout=300)
    assert done.returncode == 1
    assert "job 0 was finished before" in done.stdout + done.stderr
    keys = ["trainer.max_epochs=3", "evaluate=false"]
    done = run_command(program, "train", "resume=a sweep/0", *keys, cwd=folder.parent, timeout=300)
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "0" / "run.json").read_text())
    assert record["epochs"] == 3
    assert record["command"][1:3] == ["train", "resume=a sweep/0"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["-m", *QUICK, "trainer=ddp", "seed=0,1"], "trainer=ddp"),
        (["-m", *QUICK, "trainer=default,ddp"], "trainer=ddp"),
        (["-m", *QUICK, "hydra.sweep.subdir=${hydra.job.override_dirname}"], "leave it out"),
        (["sweep.resume=nowhere"], "holds no sweep"),
        (["-m", *QUICK, "model.depth=9,10"], "model.depth=9"),
    ],
    ids=["ddp", "ddp later", "subdir", "no sweep", "no job can run"],
)
def test_sweeps_that_are_refused(given, told, tmp_path):
    done = run_command("train.py", *given, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_another_sweep_is_not_mixed_into_a_folder(undisturbed, cache_dir):
    folder, _ = undisturbed
    before = (folder / "sweep.json").read_bytes()
    for more in (["seed=2"], [f"sweep.resume={folder}", "seed=2"]):
        done = run_command("train.py", *arguments(folder, cache_dir, *more), cwd=folder.parent)
        assert done.returncode == 2
        assert str(folder) in done.stderr
    assert (folder / "sweep.json").read_bytes() == before


def test_other_commands_do_not_sweep(tmp_path):
    done = run_command("evaluate.py", "-m", "ckpt=a,b", cwd=tmp_path)
    assert done.returncode == 2
    assert "-m is for train alone" in done.stderr
