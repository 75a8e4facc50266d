"""Workers whose parent was killed."""

import json
import time
from pathlib import Path

from fetal_seg.cli.sweep import plan_sweep
from tests.conftest import QUICK, ROOT
from tests.forking import ForkedCommand
from tests.trainings import workers


def test_workers_of_a_killed_sweep_save_and_end_and_its_launcher_is_remembered(tmp_path, cache_dir):
    folder = tmp_path / "sweep"
    keys = ["-m", *QUICK, "trainer.max_epochs=500", "evaluate=false", "seed=0,1,2", f"data.cache_dir={cache_dir}"]
    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"hydra.sweep.dir={folder}"]
    process = ForkedCommand(ROOT / "train.py", [*keys, *launcher], tmp_path)
    end = time.monotonic() + 120
    while not list(folder.glob("*/metrics.csv")) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    alive = workers(process.pid, folder)
    process.kill()
    process.wait()
    while any(Path(f"/proc/{worker}").exists() for worker in alive) and time.monotonic() < end:
        time.sleep(0.1)
    assert alive
    assert not workers(process.pid, folder)
    ended = [json.loads(file.read_text())["status"] for file in folder.glob("*/run.json")]
    assert set(ended) == {"interrupted"}
    resumed = plan_sweep([f"++sweep.resume={folder}"], lambda keys: {})
    assert resumed.launching == launcher[:2]
