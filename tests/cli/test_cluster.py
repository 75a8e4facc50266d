"""What submits jobs: what it refuses, and which of its jobs it finds."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fetal_seg.cli.cluster import NoAnswerError, Slurm, open_cluster
from fetal_seg.config.launcher import LauncherConfig
from fetal_seg.errors import InputError
from tests.conftest import QUICK, run_command

LOCAL = LauncherConfig(cluster="local", array_parallelism=2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["hydra/launcher=slurm", "hydra.launcher.mem_gb=-1"], "hydra.launcher: mem_gb=-1 is not allowed; give"),
        (["hydra/launcher=local", "hydra.launcher.cpus_per_task=a"], "cpus_per_task='a' is not allowed"),
        (["hydra/launcher=slurm_cpu", "hydra.launcher.memory=1"], "hydra.launcher.memory"),
        (["hydra/launcher=slurm_gpu"], "needs sbatch, squeue, srun, not found on this machine"),
    ],
    ids=["range", "type", "no key", "no SLURM"],
)
def test_a_sweep_that_cannot_be_submitted_is_refused(given, told, tmp_path):
    pytest.importorskip("submitit", reason="pip install 'fetal_seg[slurm]'")
    done = run_command("train.py", "-m", *QUICK, "seed=0,1", *given, cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_submitit_it_is_said_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(
        InputError, match=r"^hydra.launcher needs submitit, not installed here: pip install 'fetal_seg\["
    ):
        open_cluster(LOCAL, tmp_path)


def test_other_launchers_and_help_need_no_submitit(tmp_path):
    """A module of that name that cannot be imported stands for one that is missing."""
    (tmp_path / "submitit.py").write_text("raise ImportError")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    for given in (["--help"], ["--cfg", "job", "hydra/launcher=slurm_cpu"]):
        done = run_command("train.py", *given, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr


def test_a_process_that_is_another_job_has_ended(tmp_path):
    pytest.importorskip("submitit", reason="pip install 'fetal_seg[slurm]'")
    cluster = open_cluster(LOCAL, tmp_path)
    code = "import time; time.sleep(60)"
    ours = subprocess.Popen([sys.executable, "-c", code, str(tmp_path.resolve() / "slurm")])
    other = subprocess.Popen([sys.executable, "-c", code])
    numbers = {str(ours.pid), str(other.pid), "4194304"}
    end = time.monotonic() + 30
    while not (active := cluster.active(numbers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert active == {str(ours.pid)}
    assert (cluster.room(0), cluster.room(1), cluster.room(3)) == (2, 1, 0)
    for process in (ours, other):
        process.kill()
        process.wait()
    assert cluster.active(numbers) == set()


def test_a_cluster_that_does_not_answer_is_no_cluster_without_jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoAnswerError):
        Slurm(LauncherConfig(), Path("sweep")).active(["1_0"])
    assert Slurm(LauncherConfig(), Path("sweep")).active([]) == set()
