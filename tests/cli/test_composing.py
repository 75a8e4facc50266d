"""Choices of a user's own, in a folder outside of the project: they take the same way as all others."""

import json

import pytest

from tests.conftest import QUICK, run_command

KEYS = [*(key for key in QUICK if not key.startswith("model.")), "trainer.max_epochs=1", "trainer.log_images=0"]


@pytest.fixture
def own(tmp_path):
    """A folder with a network, an experiment and a configuration of its own."""
    folder = tmp_path / "my choices"
    for name, content in (
        ("model/small.yaml", "name: encoder_decoder\ndepth: 3\nwidth: 4\n"),
        ("experiment/mine.yaml", "# @package _global_\ndefaults:\n  - override /model: small\noptim:\n  lr: 0.03\n"),
        ("mine.yaml", "defaults:\n  - train\n  - _self_\nseed: 7\n"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def config(run):
    return (run / ".hydra" / "config.yaml").read_text()


def test_it_works_in_a_run_and_an_evaluation(own, cache_dir, tmp_path):
    keys = [*KEYS, "experiment=mine", f"data.cache_dir={cache_dir}", f"hydra.run.dir={tmp_path}/run"]
    done = run_command("train.py", "--config-dir", own, *keys, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "width: 4" in config(tmp_path / "run")
    checkpoint = tmp_path / "run/checkpoints/best.ckpt"
    done = run_command("evaluate.py", f"ckpt={checkpoint}", f"data.cache_dir={cache_dir}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_it_works_in_a_sweep_which_has_its_report(own, cache_dir, tmp_path):
    keys = [*KEYS, "model=small,unet", "model.depth=3", f"data.cache_dir={cache_dir}", "hydra.sweep.dir=sweep"]
    done = run_command("train.py", f"--config-dir={own}", "-m", *keys, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "small" in (tmp_path / "sweep/summary.csv").read_text()
    assert (tmp_path / "sweep/report.html").is_file()


def test_it_works_in_a_search_with_one_worker(own, cache_dir, tmp_path):
    keys = [*KEYS, "model=small", "search.space={model.width: [4,8]}", "search.trials=2", "output=search"]
    done = run_command("search.py", f"--config-dir={own}", *keys, f"data.cache_dir={cache_dir}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ended = [json.loads(file.read_text())["status"] for file in tmp_path.glob("search/*/run.json")]
    assert set(ended) == {"finished"}  # one or two: a width that is proposed again is not trained again


def test_a_configuration_of_ones_own_name_is_checked_as_ours(own, cache_dir, tmp_path):
    keys = [*QUICK, "evaluate=false", f"data.cache_dir={cache_dir}", f"hydra.run.dir={tmp_path}/run"]
    done = run_command("train.py", f"--config-dir={own}", "--config-name=mine", *keys, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "seed: 7" in config(tmp_path / "run")
    done = run_command("train.py", f"--config-dir={own}", "--config-name=mine", "model.depht=3", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean model.depth?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config-dir=nowhere"], "there is no such folder"),
        (["--config-dir=.", "model=smal"], "take one of encoder_decoder, lite"),
        (
            ["trainer.callbacks=x"],
            "trainer.callbacks is no key; the trainer has its own; with others train as a library",
        ),
        (["scheduler=null"], "scheduler=None is unknown; take one of cosine, none, onecycle, plateau"),
    ],
)
def test_what_is_not_there_is_told(arguments, told, tmp_path):
    done = run_command("train.py", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
