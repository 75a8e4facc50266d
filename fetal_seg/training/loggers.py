"""The trackers that a run can have: Lightning's loggers, all told the same numbers, hyperparameters and pictures."""

import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock
from lightning.pytorch.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger, WandbLogger

from fetal_seg.config.tracking import PROJECT, MlflowConfig, WandbConfig
from fetal_seg.files import whole_file
from fetal_seg.images.drawing import Picture
from fetal_seg.training.tracker import Tracker

SQLITE = "sqlite:///"  # MLflow's, of a database file
CHARTS = {
    "training and validation": {
        "loss": ["Multiline", ["train/loss", "val/loss"]],
        "Dice": ["Multiline", ["train/dice", "val/dice"]],
    }
}


class TensorBoardTracker(Tracker, TensorBoardLogger):
    """Event files in ``RUN/tensorboard``."""

    label = "TensorBoard"
    holds_pictures = True

    def __init__(self, run_dir: Path) -> None:
        super().__init__(run_dir, name="", version="tensorboard", default_hp_metric=False)
        self.continues = any(Path(self.log_dir).glob("events.*"))

    @property
    def how_to_look(self) -> str:
        """The command that shows it, beside other runs."""
        return f"tensorboard --logdir {Path(self.save_dir).parent}"

    def start(self, hyperparameters: Mapping[str, Any]) -> None:
        """Lay out the charts that show training and validation together."""
        super().start(hyperparameters)
        self.experiment.add_custom_scalars(CHARTS)

    def log_picture(self, name: str, picture: Picture, epoch: int) -> None:
        """Show a picture (h, w, 3), uint8, beside those of the same name of other epochs."""
        self.attempt(lambda: self.experiment.add_image(name, picture, epoch, dataformats="HWC"))

    def log_results(self, hyperparameters: Mapping[str, Any], metrics: Mapping[str, float], epoch: int) -> None:
        """Put the final metrics into the HPARAMS tab, beside what studies compare, which it sorts by name."""
        self.log_hyperparams(dict(hyperparameters), dict(metrics))


class CsvTracker(Tracker, CSVLogger):
    """A table and the hyperparameters in ``RUN/csv``; Lightning's logger begins the table anew in each process."""

    label = "CSV"

    def __init__(self, run_dir: Path) -> None:
        super().__init__(run_dir, name="", version="csv", flush_logs_every_n_steps=1)

    @property
    def how_to_look(self) -> str:
        """The table."""
        return str(Path(self.log_dir, "metrics.csv"))


class WandbTracker(Tracker, WandbLogger):
    """A run of Weights & Biases; its files are in ``RUN/wandb``, of each process that worked on the run.

    Args:
        name: of the run.
        group: what it is shown with.
        known: its identity, where it goes on.
    """

    label = "W&B"
    holds_pictures = True
    FINISHING = 120  # s, for which the end of a run waits for the server

    def __init__(
        self, config: WandbConfig, run_dir: Path, *, name: str, group: str | None, known: Mapping[str, str]
    ) -> None:
        if config.mode != "online":
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # which would try the network
        import wandb

        self.continues = "id" in known
        self._is_online = config.mode == "online"
        super().__init__(
            name=name,
            save_dir=run_dir,
            version=known.get("id", uuid.uuid4().hex[:8]),
            project=config.project,
            entity=config.entity,
            group=group,
            mode=config.mode,
            settings=wandb.Settings(console="off", silent=True, finish_timeout=self.FINISHING),
        )
        self._wandb_init.pop("anonymous", None)  # W&B has dropped it, Lightning not yet

    @property
    def identity(self) -> dict[str, str]:
        """The number of the run."""
        return {"id": str(self.version)}

    @property
    def how_to_look(self) -> str:
        """The run's page, or how its files get there."""
        return str(self.experiment.url) if self._is_online else f"wandb sync {self.save_dir}/wandb/offline-run-*"

    def log_picture(self, name: str, picture: Picture, epoch: int) -> None:
        """Show a picture (h, w, 3), uint8, beside those of the same name of other epochs."""
        self.attempt(partial(self.log_image, name, [picture], step=epoch))

    def finish(self, status: str) -> None:
        """Send what is left, for at most `FINISHING` seconds; the files stay."""
        end = partial(self.experiment.finish, exit_code=int(status != "success"))
        if not self.has_failed:
            self.attempt(end)
            return
        with suppress(Exception):  # else the next run in this process would be taken for this one
            end()


def _make_database(file: Path) -> None:
    """Make a file with MLflow's tables, whole or not at all; MLflow fails where two do so at once or one is killed."""
    from mlflow.tracking import MlflowClient

    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"):
        if not file.exists():
            with whole_file(file) as temporary:
                MlflowClient(f"{SQLITE}{temporary}")


class MlflowTracker(Tracker, MLFlowLogger):
    """A run of MLflow.

    Args:
        name: of the run.
        group: a sweep or search that it is of; the experiment that it is shown in, if the configuration names none.
        known: its identity, where it goes on.
    """

    label = "MLflow"
    holds_pictures = True

    def __init__(self, config: MlflowConfig, *, name: str, group: str | None, known: Mapping[str, str]) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # its own 7 hold a training for many minutes
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        self.continues = "run_id" in known
        uri, artifacts = known.get("tracking_uri", config.tracking_uri), None
        if uri.startswith(SQLITE):
            file = Path(uri.removeprefix(SQLITE)).expanduser().resolve()
            _make_database(file)
            uri, artifacts = f"{SQLITE}{file}", (file.parent / "artifacts").as_uri()
        super().__init__(
            config.experiment or group or PROJECT,
            run_name=name,
            tracking_uri=uri,
            tags={"group": group} if group else None,
            artifact_location=artifacts,
            run_id=known.get("run_id"),
        )

    @property
    def identity(self) -> dict[str, str]:
        """The number of the run, and the file that it is kept in; an address, which may hold a password, is not."""
        file = {"tracking_uri": self._tracking_uri} if self._tracking_uri.startswith(SQLITE) else {}
        return {"run_id": str(self.run_id), **file}

    @property
    def how_to_look(self) -> str:
        """The command that shows a database file; of a server the run's number, without its address."""
        is_file = self._tracking_uri.startswith(SQLITE)
        return f"mlflow ui --backend-store-uri {self._tracking_uri}" if is_file else f"MLflow's run {self.run_id}"

    def start(self, hyperparameters: Mapping[str, Any]) -> None:
        """Begin the run, or go on with it; its hyperparameters stay as they were, since MLflow cannot change them."""
        from mlflow.exceptions import MlflowException

        try:
            _ = self.experiment
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            _ = self.experiment  # which another job has made in the meantime
        if self.continues:
            self.experiment.update_run(self.run_id, "RUNNING")
        else:
            super().start(hyperparameters)

    def log_picture(self, name: str, picture: Picture, epoch: int) -> None:
        """Show a picture (h, w, 3), uint8, beside those of the same name of other epochs."""
        self.attempt(lambda: self.experiment.log_image(self.run_id, picture, key=name, step=epoch))
