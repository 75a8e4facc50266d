"""The trackers themselves: what each writes, and what becomes of a training where one fails."""

import importlib
import logging
import multiprocessing
import shutil

import numpy as np
import pytest

from fetal_seg.config.tracking import CsvConfig, LoggerConfig, MlflowConfig, TensorBoardConfig, WandbConfig
from fetal_seg.errors import InputError
from fetal_seg.training.run_record import RunRecord
from fetal_seg.training.tracking import final_metrics, tracking
from tests.tracked import EACH, needs, of_csv, of_mlflow, of_tensorboard, of_wandb

CHOSEN = {"model": "unet", "model.depth": 3, "optim.lr": 0.01}
PICTURE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.fixture
def record(tmp_path):
    (tmp_path / "run").mkdir()
    return RunRecord(tmp_path / "run" / "run.json", ["train.py"])


def config_of(name, tmp_path):
    schemas = {
        "tensorboard": TensorBoardConfig(),
        "csv": CsvConfig(),
        "wandb": WandbConfig(),
        "mlflow": MlflowConfig(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db"),
    }
    return LoggerConfig(**{name: schemas[name]})


def track(config, tmp_path, record, *, group=None, must_start=True):
    return tracking(config, tmp_path / "run", record, CHOSEN, group=group, must_start=must_start)


def read_back(name, tmp_path):
    if name == "mlflow":
        ((found,),) = of_mlflow(tmp_path / "mlflow.db").values()
        return found
    if name == "wandb":
        importlib.import_module("wandb").teardown()  # its process writes the last of the file when it ends
    return {"tensorboard": of_tensorboard, "csv": of_csv, "wandb": of_wandb}[name](tmp_path / "run")


@pytest.mark.parametrize("name", EACH)
def test_a_tracker_keeps_numbers_hyperparameters_results_and_pictures(name, tmp_path, record):
    with track(config_of(name, tmp_path), tmp_path, record) as (tracker,):
        for epoch, loss in enumerate((0.5, 0.25)):
            if tracker.holds_pictures:
                tracker.log_picture("validation/a_HC.png", PICTURE, epoch)
            tracker.log_metrics({"train/loss": loss, "val/dice": 1 - loss}, epoch)
        tracker.log_results(CHOSEN, final_metrics({"val/dice": 0.75, "adf_mm": 2.0}), 1)
    found = read_back(name, tmp_path)
    assert found.curves["train/loss"] == {0: 0.5, 1: 0.25}
    assert found.curves["val/dice"] == {0: 0.5, 1: 0.75}
    assert list(found.curves["final/val_dice"].values()) == [0.75]
    assert list(found.curves["final/adf_mm"].values()) == [2.0]
    assert {"model": "unet", "model.depth": "3", "optim.lr": "0.01"}.items() <= found.hyperparameters.items()
    assert found.pictures == ["validation/a_HC.png"] * 2 * tracker.holds_pictures


@pytest.mark.parametrize("name", EACH)
def test_what_a_resumed_run_tells_belongs_to_the_same_run(name, tmp_path, record):
    """`read_back` fails where a tracker has two runs."""
    for epoch in range(2):
        with track(config_of(name, tmp_path), tmp_path, record) as (tracker,):
            assert tracker.continues == (epoch == 1 and name != "csv")
            if name == "csv":  # which is told all again
                for earlier in range(epoch):
                    tracker.log_metrics({"lr": 1.0}, earlier)
            tracker.log_metrics({"lr": 1.0}, epoch)
    assert read_back(name, tmp_path).curves["lr"] == {0: 1.0, 1: 1.0}


@needs("mlflow")
def test_mlflow_knows_how_a_run_ended(tmp_path, record):
    from mlflow.tracking import MlflowClient

    config, client = config_of("mlflow", tmp_path), MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")

    def status():
        return client.get_run(record.trackers["mlflow"]["run_id"]).info.status

    with pytest.raises(KeyboardInterrupt), track(config, tmp_path, record):
        assert status() == "RUNNING"
        raise KeyboardInterrupt
    assert status() == "FAILED"
    with track(config, tmp_path, record):
        assert status() == "RUNNING"
    assert status() == "FINISHED"


def run_job(folder, number):
    """A job of a sweep in a process of its own."""
    run = folder / str(number)
    run.mkdir()
    config, record = config_of("mlflow", folder), RunRecord(run / "run.json", [])
    with tracking(config, run, record, {"number": number}, group="widths", must_start=True) as (tracker,):
        for epoch in range(5):
            tracker.log_metrics({"lr": float(number)}, epoch)
        assert not tracker.has_failed


@needs("mlflow")
def test_jobs_that_run_at_once_share_a_new_database(tmp_path):
    jobs = [multiprocessing.get_context("fork").Process(target=run_job, args=(tmp_path, number)) for number in range(3)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(120)
    assert [job.exitcode for job in jobs] == [0, 0, 0]
    ((experiment, runs),) = of_mlflow(tmp_path / "mlflow.db").items()
    assert experiment == "widths"
    assert {run.hyperparameters["number"]: run.curves["lr"] for run in runs} == {
        str(number): dict.fromkeys(range(5), float(number)) for number in range(3)
    }


@needs("mlflow")
def test_mlflow_has_no_file_in_the_folder_of_the_command(tmp_path, record, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with track(config_of("mlflow", tmp_path), tmp_path, record) as (tracker,):
        tracker.log_picture("validation/a_HC.png", PICTURE, 0)
    assert list((tmp_path / "here").iterdir()) == []
    assert len(list((tmp_path / "artifacts").rglob("*.png"))) == 1


def test_a_tracker_that_fails_is_told_of_once_and_left_alone(tmp_path, record, caplog):
    with caplog.at_level(logging.WARNING), track(config_of("csv", tmp_path), tmp_path, record) as (tracker,):
        tracker.log_metrics({"lr": 1.0}, 0)
        shutil.rmtree(tmp_path / "run" / "csv")
        (tmp_path / "run" / "csv").touch()  # as a disk that has gone
        for epoch in range(1, 4):
            tracker.log_metrics({"lr": 1.0}, epoch)
        assert tracker.has_failed
    (warning,) = [entry.getMessage() for entry in caplog.records]
    assert warning.startswith("CSV has failed, and gets nothing more of this run, which goes on (")


@needs("mlflow")
class TestServerThatIsNotThere:
    CONFIG = LoggerConfig(csv=CsvConfig(), mlflow=MlflowConfig(tracking_uri="http://127.0.0.1:9"))

    @pytest.fixture(autouse=True)
    def hurry(self, monkeypatch):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    def test_a_new_run_is_refused(self, tmp_path, record):
        with (
            pytest.raises(InputError, match=r"logger=mlflow cannot be started \(.*; see that it is there, or leave"),
            track(self.CONFIG, tmp_path, record),
        ):
            pass

    def test_a_run_that_goes_on_and_a_job_of_a_sweep_go_on_without(self, tmp_path, record, caplog):
        with track(self.CONFIG, tmp_path, record, group="widths", must_start=False) as trackers:
            assert [tracker.label for tracker in trackers] == ["CSV"]
        assert [entry.getMessage().split(" (")[0] for entry in caplog.records if "cannot" in entry.getMessage()] == [
            "logger=mlflow cannot be started"
        ]


@needs("wandb")
def test_wandb_tries_no_network_unless_it_is_told_to(tmp_path, record, monkeypatch):
    """Any connection but to its own process, which is by a socket of the file system, would raise."""
    import socket

    def refuse(self, address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket, "create_connection", lambda address, *_: refuse(None, address))
    with track(config_of("wandb", tmp_path), tmp_path, record) as (tracker,):
        tracker.log_metrics({"lr": 1.0}, 0)
        assert tracker.experiment.offline
    assert read_back("wandb", tmp_path).curves["lr"] == {0: 1.0}
