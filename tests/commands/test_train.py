"""Training by its command: what a run leaves, and that a killed run ends where an undisturbed one does."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from fetal_seg.errors import InputError
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.device import choose_precision
from fetal_seg.training.initial_weights import checkpoint_to_resume
from tests.conftest import QUICK, ROOT, run_command


@pytest.fixture(scope="module")
def events(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(trained / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    return accumulator.Reload()


def rows_of(run):
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_folder_holds_what_the_design_says(trained):
    for name in (".hydra/config.yaml", "run.json", "split.json", "metrics.csv", "curves.png", "train.log"):
        assert (trained / name).stat().st_size > 0, name
    assert {path.name for path in (trained / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert {"per_image.csv", "summary.json"} <= {path.name for path in (trained / "evaluation").iterdir()}
    assert not [path for path in trained.rglob("*") if "=" in path.name]


def test_metrics_table(trained):
    rows = rows_of(trained)
    columns = ["epoch", "train/loss", "val/loss", "train/dice", "val/dice", "lr", "seconds", "train/iou", "val/iou"]
    assert list(rows[0]) == columns
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(np.isfinite([float(value) for value in row.values()]).all() for row in rows)


def test_tensorboard_has_the_same_numbers_pictures_and_hyperparameters(trained, events):
    rows = rows_of(trained)
    for name in ("train/loss", "val/loss", "train/dice", "val/dice", "val/iou"):
        assert [event.step for event in events.Scalars(name)] == [int(row["epoch"]) for row in rows]
        assert [event.value for event in events.Scalars(name)] == pytest.approx([float(row[name]) for row in rows])
    pictures = events.Tags()["images"]
    assert len(pictures) == 4
    assert [event.step for event in events.Images(pictures[0])] == [0, 1]
    plugins = events.summary_metadata.values()
    assert {"custom_scalars", "hparams"} <= {metadata.plugin_data.plugin_name for metadata in plugins}
    assert {"final/dice", "final/val_loss"} <= set(events.Tags()["scalars"])


def test_run_json(trained):
    run = json.loads((trained / "run.json").read_text())
    assert run["status"] == "finished"
    assert run["seed"] == 0
    assert run["versions"]["torch"] == torch.__version__.split("+")[0]
    assert set(run["git"]) == {"commit", "dirty"}
    assert run["wall_time_s"] > 0
    assert run["peak_memory_mib"] > 100
    assert run["precision_reason"]
    assert run["metrics"]["val/dice"] == pytest.approx(float(rows_of(trained)[-1]["val/dice"]), abs=1e-6)
    assert run["data_fingerprint"] == read_checkpoint(trained / "checkpoints/best.ckpt").description.data.fingerprint


def test_split_json(trained):
    split = json.loads((trained / "split.json").read_text())
    assert list(split)[:4] == ["seed", "kind", "train", "val"]
    assert split["kind"] == "examination"
    assert len(split["val"]) == round(0.2 * 24)
    assert not {name[:3] for name in split["train"]} & {name[:3] for name in split["val"]}


def test_curves_are_a_picture(trained):
    picture = np.asarray(Image.open(trained / "curves.png").convert("RGB"))
    assert picture.shape[1] > 600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_checkpoints_hold_plain_data_alone(trained):
    content = torch.load(trained / "checkpoints/best.ckpt", weights_only=True)
    told = content["fetal_seg"]
    assert told["network"] == json.loads(json.dumps(told["network"]))
    assert told["network"]["name"] == "encoder_decoder"
    assert told["preprocessing"]["height"] == 64
    assert told["classes"] == ["head"]
    assert set(told["split"]) == {"train", "val"}


def test_resuming_a_finished_run_changes_nothing(trained, cache_dir):
    before = torch.load(trained / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    table = (trained / "metrics.csv").read_bytes()
    done = run_command(
        "train.py",
        *QUICK,
        f"data.cache_dir={cache_dir}",
        f"hydra.run.dir={trained}",
        "ckpt_path=last",
        cwd=trained.parent,
    )
    assert done.returncode == 0, done.stderr
    after = torch.load(trained / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (trained / "metrics.csv").read_bytes() == table
    assert json.loads((trained / "run.json").read_text())["metrics"]["val/dice"] > 0


@pytest.mark.parametrize(
    ("amx", "avx512", "expected"),
    [(True, True, "bf16-mixed"), (False, True, "bf16-mixed"), (False, False, "32-true")],
)
def test_automatic_precision_of_a_cpu(amx, avx512, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    precision, reason = choose_precision("auto", torch.device("cpu"))
    assert precision == expected
    assert "AVX-512" in reason or amx
    assert choose_precision("32-true", torch.device("cpu"))[0] == "32-true"


LONG = [*QUICK, "trainer.max_epochs=6", "model.dropout=0.1", "evaluate=false", "trainer.log_images=0"]


def start(run, cache_dir, *arguments):
    command = [sys.executable, str(ROOT / "train.py"), *LONG, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}"]
    return subprocess.Popen(
        [*command, *arguments], cwd=run.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )


def kill_when(process, condition, timeout=90):
    end = time.monotonic() + timeout
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_run_killed_at_any_moment_ends_with_the_same_weights(tmp_path, cache_dir):
    """Killed before its first checkpoint, while it saves one, and between two; resumed in place each time."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = start(whole, cache_dir)
    assert undisturbed.wait(120) == 0
    last = killed / "checkpoints" / "last.ckpt"
    kill_when(start(killed, cache_dir, "ckpt_path=last"), (killed / ".hydra").is_dir)
    assert not last.exists()
    kill_when(start(killed, cache_dir, "ckpt_path=last"), last.exists)
    seen = last.stat().st_mtime_ns
    saving = killed / "checkpoints"
    kill_when(
        start(killed, cache_dir, "ckpt_path=last"),
        lambda: last.stat().st_mtime_ns != seen and any(path.name.startswith(".") for path in saving.iterdir()),
    )
    assert start(killed, cache_dir, "ckpt_path=last").wait(120) == 0
    for name in ("last.ckpt", "best.ckpt"):
        expected = torch.load(whole / "checkpoints" / name, weights_only=True)
        found = torch.load(killed / "checkpoints" / name, weights_only=True)
        assert expected["epoch"] == found["epoch"]
        for state in ("state_dict", "current_model_state"):
            assert expected[state].keys() == found[state].keys()
            differing = [key for key in expected[state] if not torch.equal(expected[state][key], found[state][key])]
            assert differing == [], (name, state)

    assert torch.load(whole / "checkpoints/last.ckpt", weights_only=True)["global_step"] == 6 * 5

    def without_seconds(run):
        return [{key: value for key, value in row.items() if key != "seconds"} for row in rows_of(run)]

    assert without_seconds(killed) == without_seconds(whole)
    assert len(rows_of(killed)) == 6


def test_a_path_resumes_in_another_folder(trained, tmp_path, cache_dir):
    done = run_command(
        "train.py",
        *QUICK,
        "trainer.max_epochs=3",
        "evaluate=false",
        f"ckpt_path={trained}/checkpoints/last.ckpt",
        f"data.cache_dir={cache_dir}",
        f"hydra.run.dir={tmp_path}/more",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert [row["epoch"] for row in rows_of(tmp_path / "more")] == ["0", "1", "2"]


def test_a_checkpoint_of_another_network_is_refused(trained, tmp_path, cache_dir):
    done = run_command(
        "train.py",
        *QUICK,
        "model.width=4",
        f"ckpt_path={trained}/checkpoints/last.ckpt",
        f"data.cache_dir={cache_dir}",
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "width 8 instead of 4" in done.stderr
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_checkpoint_of_other_images_is_refused(trained):
    path = trained / "checkpoints" / "last.ckpt"
    known = read_checkpoint(path).description
    assert checkpoint_to_resume("last", trained, known) == str(path)
    wanted = replace(known, preprocessing=replace(known.preprocessing, width=128))
    with pytest.raises(InputError, match=r"is of other images \(width 96 instead of 128\)"):
        checkpoint_to_resume("last", trained, wanted)


def test_a_refused_resume_loses_nothing(trained, tmp_path, cache_dir):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    before = {path for path in run.rglob("*") if path.is_file()}
    arguments = [*QUICK, "model.width=4", "ckpt_path=last", f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}"]
    assert run_command("train.py", *arguments, cwd=tmp_path).returncode == 2
    assert {path for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=unet", "loss=boundary", "optim=sgd", "scheduler=plateau", "trainer.ema_decay=0"],
        ["model=smp", "model.depth=3", "model.width=4", "optim=rmsprop", "loss=focal", "scheduler=none"],
        [
            "model.deep_supervision=true",
            "model.compile=false",
            "trainer.accumulate_grad_batches=2",
            "trainer.early_stopping_patience=1",
            "data.workers=1",
            "data.augmentation.enabled=false",
            "scheduler=cosine",
            "trainer.precision=32-true",
        ],
    ],
    ids=["unet", "smp", "knobs"],
)
def test_groups_swap(overrides, tmp_path, cache_dir):
    done = run_command(
        "train.py",
        *QUICK,
        "model.width=4",
        *overrides,
        "evaluate=false",
        f"data.cache_dir={cache_dir}",
        f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert read_checkpoint(tmp_path / "run/checkpoints/best.ckpt").build_network()


def test_two_processes_train_together(tmp_path, cache_dir):
    """DDP with gloo on the CPU: one run folder, each image once an epoch."""
    done = run_command(
        "train.py",
        *QUICK,
        "trainer=ddp",
        "trainer.accelerator=cpu",
        "trainer.max_epochs=1",
        "evaluate=false",
        f"data.cache_dir={cache_dir}",
        f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
        env={"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "run")) == 1
    assert json.loads((tmp_path / "run/run.json").read_text())["status"] == "finished"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
