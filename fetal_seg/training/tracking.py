"""The trackers of a training, from before its first epoch to after its evaluation."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fetal_seg.config.choices import Choice
from fetal_seg.config.commands import TrainConfig
from fetal_seg.config.tracking import LoggerConfig
from fetal_seg.errors import InputError, one_line
from fetal_seg.training.loggers import CsvTracker, MlflowTracker, TensorBoardTracker, WandbTracker
from fetal_seg.training.run_record import RunRecord
from fetal_seg.training.tracker import Tracker

logger = logging.getLogger(__name__)


def hyperparameters(config: TrainConfig, network: Choice) -> dict[str, Any]:
    """What studies compare, by name, as trackers show it."""
    chosen: dict[str, Any] = {}
    groups = {"optim": config.optim.choice, "scheduler": config.scheduler.choice, "loss": config.loss.choice}
    for group, choice in ({"model": network} | groups).items():
        chosen |= {group: choice.name, **{f"{group}.{key}": value for key, value in choice.keys.items()}}
    chosen |= {"train.epochs": config.trainer.max_epochs, "train.batch_size": config.data.batch_size}
    return chosen | {"train.height": config.data.height, "train.width": config.data.width, "seed": config.seed}


def final_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """The results of a run by the names that trackers show them under: apart from the curves."""
    return {f"final/{name.replace('/', '_')}": value for name, value in metrics.items()}


@contextmanager
def tracking(
    config: LoggerConfig,
    run_dir: Path,
    record: RunRecord,
    chosen: Mapping[str, Any],
    *,
    group: str | None,
    must_start: bool,
) -> Iterator[list[Tracker]]:
    """The trackers of a run, begun, and ended whatever becomes of it.

    Args:
        record: of the run; it knows the trackers' runs of an earlier process, and is told those of this one.
        chosen: the hyperparameters, by name.
        group: the sweep or search that the run is of.
        must_start: whether a tracker that cannot be begun ends the run; else the run goes on without it.

    Raises:
        InputError: one cannot be begun, and must be.
    """
    trackers: list[Tracker] = []
    status = "failed"
    try:
        for name, make in _makers(config, run_dir, group).items():
            known = record.trackers.get(name, {})
            try:
                tracker = make(known)
                tracker.start(chosen)
            except Exception as error:  # whatever a library, a server or a disk comes up with
                if must_start:
                    raise InputError(
                        f"logger={name} cannot be started ({one_line(error)}); see that it is there, or leave it out"
                    ) from error
                logger.warning("logger=%s cannot be started (%s); the run goes on without it", name, one_line(error))
                continue
            trackers.append(tracker)
            if tracker.identity:
                record.add(trackers={**record.trackers, name: tracker.identity})
        yield trackers
        status = "success"
    finally:
        for tracker in trackers:
            tracker.finish(status)


def _makers(
    config: LoggerConfig, run_dir: Path, group: str | None
) -> dict[str, Callable[[Mapping[str, str]], Tracker]]:
    """By the name of each tracker that is chosen what makes it, given what it is known by."""
    name = f"{group}/{run_dir.name}" if group else run_dir.resolve().name
    makers: dict[str, Callable[[Mapping[str, str]], Tracker]] = {}
    if config.tensorboard:
        makers["tensorboard"] = lambda known: TensorBoardTracker(run_dir)
    if config.csv:
        makers["csv"] = lambda known: CsvTracker(run_dir)
    if wandb := config.wandb:
        makers["wandb"] = lambda known: WandbTracker(wandb, run_dir, name=name, group=group, known=known)
    if mlflow := config.mlflow:
        makers["mlflow"] = lambda known: MlflowTracker(mlflow, name=name, group=group, known=known)
    return makers
