"""The schemas of the trackers that a training tells its numbers: any of them, several, or none."""

from dataclasses import fields
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.extras import is_installed
from fetal_seg.config.types import STRICT

PROJECT = "fetal_seg"  # what runs are shown under, where nothing else is chosen
Name = Annotated[str, Field(min_length=1)]


@dataclass(config=STRICT, kw_only=True)
class TensorBoardConfig:
    """Event files in the run's folder; there is nothing to choose."""


@dataclass(config=STRICT, kw_only=True)
class CsvConfig:
    """A table in the run's folder; there is nothing to choose."""


@dataclass(config=STRICT, kw_only=True)
class WandbConfig:
    """Weights & Biases.

    Attributes:
        mode: ``offline`` writes files into the run's folder, and tries no network.
        entity: the user or team; None for W&B's default.
    """

    mode: Literal["offline", "online", "disabled"] = "offline"
    project: Name = PROJECT
    entity: Name | None = None


@dataclass(config=STRICT, kw_only=True)
class MlflowConfig:
    """MLflow.

    Attributes:
        tracking_uri: of a server, or of a database; pictures lie beside one that is a file.
        experiment: None for the name of the sweep or search that the run is of, or of this project.
    """

    tracking_uri: Name = "sqlite:///outputs/mlflow/mlflow.db"
    experiment: Name | None = None


@dataclass(config=STRICT, kw_only=True)
class LoggerConfig:
    """The trackers of a run; None for those that it has not."""

    tensorboard: TensorBoardConfig | None = None
    csv: CsvConfig | None = None
    wandb: WandbConfig | None = None
    mlflow: MlflowConfig | None = None

    @property
    def names(self) -> list[str]:
        """The trackers that are chosen."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


def missing_trackers(config: LoggerConfig) -> list[str]:
    """Which trackers are chosen and not installed, as one sentence in a list."""
    missing = [name for name in ("wandb", "mlflow") if name in config.names and not is_installed(name)]
    if not missing:
        return []
    return [f"logger={','.join(missing)} is not installed; pip install 'fetal_seg[trackers]', or leave it out"]
