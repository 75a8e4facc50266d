"""The commands, called by the program: in any folder, with jobs and workers in processes of their own."""

import ast
import json

import pytest

from fetal_seg.cli import entry_points
from tests.conftest import QUICK, ROOT, run_command

SHORT = (*QUICK, "trainer.max_epochs=1", "evaluate=false", "trainer.log_images=0")


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "search", "report", "export"])
def test_a_script_is_the_same_function(name):
    imports = [node for node in ast.parse((ROOT / f"{name}.py").read_text()).body if isinstance(node, ast.ImportFrom)]
    assert [(node.module, node.names[0].name) for node in imports] == [(entry_points.__name__, name)]


@pytest.fixture(scope="module")
def swept(program, cache_dir, tmp_path_factory):
    """A folder with a sweep of two jobs in two processes, the second of which is given an impossible depth."""
    folder = tmp_path_factory.mktemp("somewhere else")
    places = [f"data.cache_dir={cache_dir}", "hydra.sweep.dir=a sweep"]
    beside = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    keys = [key for key in SHORT if not key.startswith("model.depth")]
    done = run_command(program, "train", "-m", *keys, "model.depth=2,99", *places, *beside, cwd=folder, timeout=300)
    return folder, done


def test_a_sweep_runs_its_jobs_and_tells_how_to_go_on(swept, program):
    folder, done = swept
    assert done.returncode == 1, done.stderr
    record = json.loads((folder / "a sweep" / "0" / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["command"][:2] == [str(program), "train"]
    told = " ".join((done.stdout + done.stderr).split())
    assert "again: fetal-seg train 'sweep.resume=a sweep'" in told
    assert "fetal-seg train -m" in (folder / "a sweep" / "report.html").read_text(encoding="utf-8")


def test_a_sweep_and_a_run_go_on(swept, program):
    folder, _ = swept
    done = run_command(program, "train", "sweep.resume=a sweep", cwd=folder, timeout=300)
    assert done.returncode == 1
    assert "job 0 was finished before" in done.stdout + done.stderr
    keys = ["trainer.max_epochs=2", "evaluate=false"]
    done = run_command(program, "train", "resume=a sweep/0", *keys, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "a sweep" / "0" / "run.json").read_text())
    assert record["epochs"] == 2
    assert record["command"][1:3] == ["train", "resume=a sweep/0"]
