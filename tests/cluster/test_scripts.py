"""The batch scripts of `docs/scaling.md` on a real SLURM, with smaller numbers and without what this machine lacks."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fetal_seg.data.phantom.writing import write_phantoms
from tests.conftest import QUICK, ROOT, run_command, table

PARTS, REQUEUED, KILLED = 4, 2, 3
TRAINING = [*QUICK, "data.images=80", "data.limit=16", "data.balance=0", "trainer.log_images=0", "evaluate=false"]
TRAINING += ["model.norm=group", "trainer.accelerator=cpu", "trainer.precision=32-true"]


def script(word, replacements):
    """The script of the page that holds a word, with its numbers replaced."""
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    (found,) = [text for text in re.findall(r"```bash\n(#!.*?)```", page, re.DOTALL) if word in text]
    for old, new in replacements.items():
        assert old in found, old
        found = found.replace(old, new)
    return found


def submit(text, folder):
    """Give a script to SLURM; its number there."""
    (folder / "job.sh").write_text(text)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["sbatch", "--parsable", f"--chdir={ROOT}", f"--output={folder}/%A_%a.txt", str(folder / "job.sh")]
    environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def await_end(number, timeout=300):
    end = time.monotonic() + timeout
    while subprocess.run(["squeue", "-h", "-j", number], capture_output=True, text=True, check=False).stdout.strip():
        assert time.monotonic() < end, f"job {number} does not end"
        time.sleep(0.3)


def told(folder):
    return {file.stem: file.read_text() for file in sorted(folder.glob("*_*.txt"))}


# An archive in parts


@pytest.fixture(scope="module")
def archive(slurm, tmp_path_factory):
    """The archive measured by an array of which one part was requeued and one killed, twice submitted; and at once."""
    folder = tmp_path_factory.mktemp("archive")
    write_phantoms(folder, train=60, test=0, seed=3)
    given = f"input={folder}/training_set.zip"
    small = {"64": str(PARTS), "cpus-per-task=4": "cpus-per-task=1", "mem=4G": "mem=1G", "input=ARCHIVE": given}
    text = script("predict.shard", {**small, "output=RESULTS": f"output={folder}/results"})
    number = submit(text, folder)
    disturbed = set()
    end = time.monotonic() + 200
    while len(disturbed) < 2 and time.monotonic() < end:
        for part, command in ((REQUEUED, ["scontrol", "requeue"]), (KILLED, ["scancel", "--signal=KILL"])):
            rows = folder / "results" / "shards" / f"{part}-of-{PARTS}" / "predictions.partial.jsonl"
            if part not in disturbed and rows.exists() and rows.read_text().count("\n") >= 2:
                subprocess.run([*command, f"{number}_{part}"], check=True, capture_output=True)
                disturbed.add(part)
        time.sleep(0.05)
    assert disturbed == {REQUEUED, KILLED}
    await_end(number)
    merging = ["report.py", f"predictions=[{folder}/results]", f"output={folder}/merged"]
    first = run_command(*merging, cwd=folder)
    again = submit(text, folder)
    await_end(again)
    second = run_command(*merging, cwd=folder)
    whole = run_command("predict.py", given, "device=cpu", "overlays=false", f"output={folder}/whole", cwd=folder)
    assert whole.returncode == 0, whole.stderr
    return folder, (number, again), (first, second)


def test_a_part_that_was_killed_is_missing_and_named(archive):
    _, _, (first, _) = archive
    assert first.returncode == 2
    assert f"{KILLED}-of-{PARTS} is unfinished; go on with it by predict.resume=true" in first.stderr


def test_submitted_again_the_parts_are_the_archive_measured_at_once(archive):
    folder, (number, again), (_, second) = archive
    assert second.returncode == 0, second.stdout + second.stderr
    merged, whole = table(folder / "merged" / "predictions.csv"), table(folder / "whole" / "predictions.csv")
    assert len(merged) == 60
    elsewhere = ("mask", "overlay")
    assert [{key: row[key] for key in row if key not in elsewhere} for row in merged] == [
        {key: row[key] for key in row if key not in elsewhere} for row in whole
    ]
    assert not any("Traceback" in text for text in told(folder).values())


# One training by several processes


def test_srun_trains_what_one_process_does_with_the_same_batches(slurm, tmp_path, cache_dir):
    keys = [*TRAINING, f"data.cache_dir={cache_dir}"]
    numbers = {"#SBATCH --gpus-per-node=4\n": "", "--nodes=2": "--nodes=1", "=4": "=2", "-task=8": "-task=1"}
    numbers |= {"trainer.num_nodes=2": "trainer.num_nodes=1"}
    given = " ".join(
        [*(key for key in keys if key != "trainer=cpu"), "data.batch_size=4", f"hydra.run.dir={tmp_path}/two"]
    )
    await_end(submit(script("trainer=ddp", {**numbers, "hydra.run.dir=FOLDER": given}), tmp_path))
    record = json.loads((tmp_path / "two" / "run.json").read_text())
    assert (record["status"], record["processes"]) == ("finished", 2), told(tmp_path)
    done = run_command("train.py", *keys, "data.batch_size=8", f"hydra.run.dir={tmp_path}/one", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    two, one = (table(tmp_path / name / "metrics.csv") for name in ("two", "one"))
    for column in ("train/loss", "val/loss", "train/dice", "val/dice"):
        np.testing.assert_allclose(*([float(row[column]) for row in rows] for rows in (two, one)), rtol=1e-4, atol=1e-5)


def test_srun_that_does_not_say_how_many_are_on_a_machine_is_refused(slurm, tmp_path):
    keys = ["data=phantom", "trainer=ddp", "trainer.devices=2", f"hydra.run.dir={tmp_path}/run"]
    command = ["srun", "--ntasks=2", "--quiet", sys.executable, str(ROOT / "train.py"), *keys]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "give it --ntasks-per-node=2 instead of --ntasks" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
