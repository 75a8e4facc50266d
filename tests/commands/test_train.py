"""Training by its command: what a run leaves, and that a killed run ends where an undisturbed one does."""

import json
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from PIL import Image

from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, ROOT, run_command, table
from tests.forking import ForkedCommand


def test_a_run_folder_holds_what_the_design_says(trained):
    for name in (".hydra/config.yaml", "run.json", "split.json", "metrics.csv", "curves.png", "train.log"):
        assert (trained / name).stat().st_size > 0, name
    assert {path.name for path in (trained / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert {"per_image.csv", "summary.json"} <= {path.name for path in (trained / "evaluation").iterdir()}
    assert not [path for path in trained.rglob("*") if "=" in path.name]


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
    assert set(told["split"]) == {"train", "val", "seen"}


@pytest.mark.parametrize("profiler", ["simple", "pytorch"])
def test_a_profile_tells_where_the_time_goes(profiler, cache_dir, tmp_path):
    keys = (*QUICK, f"data.cache_dir={cache_dir}", "hydra.run.dir=run", "trainer.max_epochs=1", "evaluate=false")
    done = run_command("train.py", *keys, f"trainer.profiler={profiler}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (table,) = (tmp_path / "run").glob("fit-profile*.txt")
    assert {"simple": "SegmentationTask.optimizer_step", "pytorch": "conv"}[profiler] in table.read_text()
    assert f"profile: {tmp_path / 'run'}" in done.stdout + done.stderr


def test_resuming_a_finished_run_changes_nothing(trained, cache_dir):
    before = torch.load(trained / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    metrics = (trained / "metrics.csv").read_bytes()
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
    assert (trained / "metrics.csv").read_bytes() == metrics
    last_row = table(trained / "metrics.csv")[-1]
    assert json.loads((trained / "run.json").read_text())["metrics"]["val/dice"] == float(last_row["val/dice"])


LONG = [*QUICK, "trainer.max_epochs=6", "model.dropout=0.1", "evaluate=false", "trainer.log_images=0"]


def start(run, cache_dir, *arguments):
    keys = [*LONG, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}", *arguments]
    return ForkedCommand(ROOT / "train.py", keys, run.parent)


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
    kill_when(start(killed, cache_dir), (killed / ".hydra").is_dir)
    assert not last.exists()
    kill_when(start(killed, cache_dir), last.exists)
    seen = last.stat().st_mtime_ns
    saving = killed / "checkpoints"
    kill_when(
        start(killed, cache_dir, "ckpt_path=last"),
        lambda: last.stat().st_mtime_ns != seen and any(path.name.startswith(".") for path in saving.iterdir()),
    )
    (saving / ".last-0123abcd.ckpt").touch()  # as a kill while it saves leaves it
    assert start(killed, cache_dir, "ckpt_path=last").wait(120) == 0
    assert {path.name for path in saving.iterdir()} == {"best.ckpt", "last.ckpt"}
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
        return [{key: value for key, value in row.items() if key != "seconds"} for row in table(run / "metrics.csv")]

    assert without_seconds(killed) == without_seconds(whole)
    assert len(table(killed / "metrics.csv")) == 6


def test_a_run_that_stopped_early_stays_so_where_it_was_killed_after_its_last_checkpoint(tmp_path, cache_dir):
    run = tmp_path / "run"
    keys = [*QUICK, "trainer.max_epochs=6", "trainer.early_stopping_patience=1", "optim.lr=1e-9", "evaluate=false"]
    done = run_command("train.py", *keys, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows, whole = table(run / "metrics.csv"), json.loads((run / "run.json").read_text())
    assert len(rows) == whole["epochs"] < 6
    (run / "run.json").write_text(json.dumps({**whole, "status": "running", "epochs": None}))
    done = run_command("train.py", f"resume={run}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert table(run / "metrics.csv") == rows
    assert [json.loads((run / "run.json").read_text())[key] for key in ("status", "epochs")] == ["finished", len(rows)]


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
    assert [row["epoch"] for row in table(tmp_path / "more" / "metrics.csv")] == ["0", "1", "2"]


def test_a_path_that_leaves_no_epoch_to_train_is_refused(trained, tmp_path, cache_dir):
    places = [f"data.cache_dir={cache_dir}", f"hydra.run.dir={tmp_path}/more"]
    done = run_command("train.py", *QUICK, f"ckpt_path={trained}/checkpoints/last.ckpt", *places, cwd=tmp_path)
    assert done.returncode == 2
    assert "leaves nothing to train" in done.stderr
    assert "Traceback" not in done.stderr


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


def test_two_processes_train_together(program, tmp_path, cache_dir):
    """DDP with gloo on the CPU: one run folder, each image once an epoch. The second is called as the first was."""
    done = run_command(
        program,
        "train",
        *QUICK,
        "trainer=ddp",
        "trainer.accelerator=cpu",
        "trainer.max_epochs=1",
        "evaluate=false",
        f"data.cache_dir={cache_dir}",
        f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "2 processes train together: a step takes 8 images" in done.stdout
    assert "statistics of batch normalisation" in done.stdout  # on a CPU
    assert len(table(tmp_path / "run" / "metrics.csv")) == 1
    assert json.loads((tmp_path / "run/run.json").read_text())["status"] == "finished"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_dev_run_trains_one_batch_and_keeps_nothing(cache_dir, tmp_path):
    run = tmp_path / "run"
    keys = [*QUICK, f"data.cache_dir={cache_dir}", "trainer.fast_dev_run=true"]
    done = run_command("train.py", *keys, f"hydra.run.dir={run}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "all is well; nothing is kept" in done.stdout
    assert not any((run / name).exists() for name in ("checkpoints", "run.json", "metrics.csv", "evaluation"))
    swept = run_command("train.py", "-m", *keys, "model.depth=2,3", cwd=tmp_path)
    searched = run_command("search.py", *keys, "search.space={model.depth:[2,3]}", cwd=tmp_path)
    for refused in (swept, searched):
        assert refused.returncode == 2
        assert refused.stderr.startswith("error: trainer.fast_dev_run=true keeps nothing that a sweep")


def test_parts_of_epochs_train_and_validate_and_a_resume_goes_on_with_the_next_epoch(cache_dir, tmp_path):
    keys = [*QUICK, f"data.cache_dir={cache_dir}", "scheduler=none", "evaluate=false", "trainer.log_images=0"]
    keys += ["trainer.limit_train_batches=2", "trainer.limit_val_batches=0.5", "trainer.check_val_every_n_epoch=2"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert (
        run_command("train.py", *keys, "trainer.max_epochs=3", f"hydra.run.dir={whole}", cwd=tmp_path).returncode == 0
    )
    assert run_command("train.py", *keys, "trainer.max_epochs=2", f"hydra.run.dir={cut}", cwd=tmp_path).returncode == 0
    moved = cut.rename(tmp_path / "moved")
    done = run_command("train.py", f"resume={moved}", "trainer.max_epochs=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dirpath" not in done.stderr
    for name in ("last.ckpt", "best.ckpt"):
        expected, found = (torch.load(of / "checkpoints" / name, weights_only=True) for of in (whole, moved))
        assert expected["global_step"] == found["global_step"] == {"last.ckpt": 6, "best.ckpt": 4}[name]
        assert all(torch.equal(expected["state_dict"][key], found["state_dict"][key]) for key in expected["state_dict"])
    assert [bool(row["val/dice"]) for row in table(whole / "metrics.csv")] == [False, True, False]
    never = run_command("train.py", *keys, "trainer.max_epochs=1", cwd=tmp_path)
    assert never.returncode == 2
    assert "never validates in a training of 1 epochs" in never.stderr
