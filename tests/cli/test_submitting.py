"""Sweeps whose jobs are submitted, here as processes of this machine; by SLURM they are in tests/cluster."""

import json

import pytest

from tests.conftest import QUICK, run_command, table

GRID = (*QUICK, "trainer.threads=1", "trainer.log_images=0", "trainer.max_epochs=1", "evaluate=false", "logger=none")


def test_jobs_are_processes_that_fail_alone_and_are_submitted_once(tmp_path, cache_dir):
    pytest.importorskip("submitit", reason="pip install 'fetal_seg[slurm]'")
    folder = tmp_path / "sweep"
    keys = [*GRID, "model.depth=3,9", f"data.cache_dir={cache_dir}", f"hydra.sweep.dir={folder}"]
    done = run_command("train.py", "-m", *keys, "hydra/launcher=local", cwd=tmp_path, timeout=200)
    assert done.returncode == 1, done.stderr
    assert [row["status"] for row in table(folder / "summary.csv")] == ["finished", "failed"]
    assert "2 jobs submitted to this machine" in done.stderr
    submitted = json.loads((folder / "submitted.json").read_text())
    assert json.loads((folder / "0" / "run.json").read_text())["command"][0] == "train.py"
    again = run_command("train.py", f"sweep.resume={folder}", cwd=tmp_path, timeout=200)
    assert again.returncode == 1
    assert "1 jobs submitted to this machine" in again.stderr
    assert json.loads((folder / "submitted.json").read_text())["0"] == submitted["0"]


def test_a_damaged_list_of_jobs_is_one_sentence(tmp_path, cache_dir):
    pytest.importorskip("submitit", reason="pip install 'fetal_seg[slurm]'")
    folder = tmp_path / "sweep"
    folder.mkdir()
    jobs = {"given": [*GRID], "overrides": [*GRID], "jobs": [[*GRID]], "launching": ["hydra/launcher=local"]}
    (folder / "sweep.json").write_text(json.dumps({"command": ["train.py"], **jobs}))
    (folder / "submitted.json").write_text("[1")
    done = run_command("train.py", f"sweep.resume={folder}", cwd=tmp_path)
    assert done.returncode == 2
    assert "submitted.json cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
