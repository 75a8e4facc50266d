"""Trackers of trainings by their command: what each has of a run, read back from its files."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.conftest import QUICK, run_command, table
from tests.tracked import EACH, INSTALLED, OWN, needs, of_csv, of_mlflow, of_tensorboard, of_wandb
from tests.trainings import start, wait_for

ALL = ["tensorboard", "csv", *INSTALLED]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory, cache_dir):
    """A run with all trackers that are here, interrupted within an epoch and resumed from another folder."""
    run = tmp_path_factory.mktemp("tracked") / "run"
    keys = [f"logger=[{','.join(ALL)}]", "++trainer.log_images=2", "++evaluate=true"]
    process = start(run, cache_dir, *keys)
    wait_for((run / "metrics.csv").exists, process, timeout=300)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 128 + signal.SIGTERM, process.stderr.read()
    assert len(table(run / "metrics.csv")) < 4
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = run_command("train.py", f"resume={run}", cwd=elsewhere, timeout=300)
    assert done.returncode == 0, done.stderr
    assert list(elsewhere.iterdir()) == []
    return run


def read_back(name, run):
    """What a tracker was told; MLflow's database lies in the folder that the run was started in."""
    if name == "mlflow":
        experiments = of_mlflow(run.parent / "outputs" / "mlflow" / "mlflow.db")
        ((found,),) = experiments.values()
        return found
    return {"tensorboard": of_tensorboard, "csv": of_csv, "wandb": of_wandb}[name](run)


def without_seconds(run):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in table(run / "metrics.csv")]


def test_trackers_change_no_bit_of_a_run_that_is_resumed(tracked, whole):
    assert without_seconds(tracked) == without_seconds(whole)


@pytest.mark.parametrize("name", EACH)
def test_each_tracker_has_all_numbers_of_all_epochs_once(name, tracked):
    rows, curves = table(tracked / "metrics.csv"), read_back(name, tracked).curves
    assert len(rows) == 4
    for column in ("train/loss", "val/loss", "train/dice", "val/dice", "train/iou", "val/iou", "lr", "seconds"):
        assert curves[column] == pytest.approx({int(row["epoch"]): float(row[column]) for row in rows}), column


@pytest.mark.parametrize("name", EACH)
def test_each_tracker_has_the_final_metrics(name, tracked):
    metrics = json.loads((tracked / "run.json").read_text())["metrics"]
    assert {"val/dice", "ellipse_dice", "adf_mm"} <= set(metrics)
    curves = read_back(name, tracked).curves
    final = {key: list(curve.values()) for key, curve in curves.items() if key.startswith("final/")}
    assert final == {f"final/{key.replace('/', '_')}": [pytest.approx(value)] for key, value in metrics.items()}


@pytest.mark.parametrize("name", EACH)
def test_each_tracker_has_the_hyperparameters(name, tracked):
    chosen = read_back(name, tracked).hyperparameters
    expected = {"model": "encoder_decoder", "model.depth": "3", "optim": "adamw", "optim.lr": "0.02", "seed": "0"}
    expected |= {"train.epochs": "4", "train.height": "64", "loss": "bce_dice", "scheduler": "onecycle"}
    assert expected.items() <= chosen.items()


@pytest.mark.parametrize("name", [entry for entry in EACH if entry != "csv"])
def test_a_tracker_that_holds_pictures_has_each_of_each_epoch(name, tracked):
    names = read_back(name, tracked).pictures
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"validation/\d{3}_\d?HC\.png", picture) for picture in names)
    assert [names.count(picture) for picture in set(names)] == [4, 4]


@pytest.mark.parametrize("name", OWN)
def test_a_resumed_run_goes_on_in_the_tracker_s_own_run(name, tracked):
    """`read_back` fails where there are two."""
    kept = json.loads((tracked / "run.json").read_text())["trackers"][name]
    assert kept[{"wandb": "id", "mlflow": "run_id"}[name]] == read_back(name, tracked).identity


def test_the_hparams_tab_has_the_final_metrics(tracked):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plugins = EventAccumulator(str(tracked / "tensorboard")).Reload().summary_metadata.values()
    assert {"custom_scalars", "hparams"} <= {metadata.plugin_data.plugin_name for metadata in plugins}


def test_without_a_tracker_the_run_folder_has_its_own_files(tmp_path, cache_dir):
    keys = [*QUICK, f"data.cache_dir={cache_dir}", "trainer.max_epochs=1", "evaluate=false", "logger=none"]
    done = run_command("train.py", *keys, "hydra.run.dir=run", cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    found = {path.name for path in (tmp_path / "run").iterdir()} - {".hydra", ".lock"}
    assert found == {"checkpoints", "metrics.csv", "curves.png", "run.json", "split.json", "train.log"}
    assert f"curves:  {tmp_path / 'run' / 'curves.png'}" in done.stdout


@pytest.mark.skipif(not INSTALLED, reason="neither wandb nor mlflow is installed: pip install '.[trackers]'")
def test_each_job_of_a_sweep_is_a_run_of_its_own_in_the_sweep_s_group(tmp_path, cache_dir):
    keys = [*QUICK, f"data.cache_dir={cache_dir}", "trainer.max_epochs=1", "evaluate=false", "trainer.log_images=0"]
    keys += ["-m", "model.width=4,8", f"logger=[{','.join(INSTALLED)}]", "hydra.sweep.dir=widths"]
    done = run_command("train.py", *keys, cwd=tmp_path, timeout=400)
    assert done.returncode == 0, done.stderr
    found = {}
    if "wandb" in INSTALLED:
        found["wandb"] = [of_wandb(tmp_path / "widths" / job) for job in "01"]
    if "mlflow" in INSTALLED:
        (group,) = (experiments := of_mlflow(tmp_path / "outputs" / "mlflow" / "mlflow.db"))
        assert group == "widths"
        found["mlflow"] = experiments[group]
    for runs in found.values():
        assert len({run.identity for run in runs}) == 2
        assert [run.group for run in runs] == ["widths", "widths"]
        assert {run.hyperparameters["model.width"] for run in runs} == {"4", "8"}
        assert all(len(run.curves["val/dice"]) == 1 for run in runs)


@needs("mlflow")
def test_a_tracker_that_breaks_down_is_told_of_once_and_the_training_goes_on(tmp_path, cache_dir):
    run = tmp_path / "run"
    process = start(run, cache_dir, "logger=[csv,mlflow]")
    wait_for((run / "metrics.csv").exists, process, timeout=300)
    (tmp_path / "outputs" / "mlflow" / "mlflow.db").write_bytes(b"no database" * 1000)
    said, problems = process.communicate(timeout=300)
    assert process.returncode == 0, problems
    assert (run / "train.log").read_text().count("MLflow has failed, and gets nothing more of this run") == 1
    assert len(table(run / "metrics.csv")) == len(of_csv(run).curves["val/dice"]) == 4
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    assert "mlflow ui" not in said


REFUSALS = {
    "logger=wandbb": "logger=wandbb is unknown; take one of csv, mlflow, none, tensorboard, wandb",
    "logger=[csv,tensorbord]": "logger=tensorbord is unknown; take one of csv, mlflow, none, tensorboard, wandb",
    "logger=[]": "logger=[] names nothing; take logger=none",
    "logger=csv,mlflow": "logger=csv,mlflow: that is several values; give one, or add -m for a sweep, or take all at "
    "once by logger=[csv,mlflow]",
    "logger=wandb": "logger=wandb is not installed; pip install 'fetal_seg[trackers]', or leave it out",
    "logger=[tensorboard,wandb,mlflow]": "logger=wandb,mlflow is not installed; pip install 'fetal_seg[trackers]', or "
    "leave it out",
}


@pytest.mark.parametrize("given", REFUSALS)
def test_a_wrong_choice_is_refused_in_a_sentence_before_torch_is_imported(given, tmp_path):
    """In a Python that has no trackers, and that tells at its end whether it imported torch."""
    (tmp_path / "site").mkdir()
    absent = (
        "import atexit, sys\n"
        "sys.modules.update(dict.fromkeys(['wandb', 'mlflow']))\n"
        "atexit.register(lambda: 'torch' in sys.modules and print('torch was imported', file=sys.stderr))\n"
    )
    (tmp_path / "site" / "sitecustomize.py").write_text(absent)
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    (tmp_path / "work").mkdir()
    done = run_command("train.py", "data=phantom", given, cwd=tmp_path / "work", env={"PYTHONPATH": path})
    assert (done.returncode, done.stderr) == (2, f"error: {REFUSALS[given]}\n")
    assert list((tmp_path / "work").iterdir()) == []


def test_the_sentence_names_an_extra_that_there_is():
    import tomllib

    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]
    wanted = {re.split("[>=<]", requirement)[0] for requirement in project["optional-dependencies"]["trackers"]}
    assert wanted == {"wandb", "mlflow-skinny"}
