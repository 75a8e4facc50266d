"""What the user of a training is told: what is trained and on what, what changed since, and where the results are."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetal_seg.config.commands import TrainConfig

if TYPE_CHECKING:
    from fetal_seg.models.device import ChosenPrecision
    from fetal_seg.training.datamodule import HeadDataModule
    from fetal_seg.training.task import SegmentationTask
    from fetal_seg.training.tracker import Tracker

logger = logging.getLogger(__name__)


def tell_start(
    config: TrainConfig,
    data: "HeadDataModule",
    task: "SegmentationTask",
    precision: "ChosenPrecision",
    resume: str | None,
) -> None:
    """Log what is trained, on what, and what the user should know of it."""
    from fetal_seg.models.building import count_parameters
    from fetal_seg.training.process import THREADS, free_cores

    if config.trainer.threads is None and (free := free_cores()) < THREADS:
        logger.warning(
            "the machine is busy with other work: %d of %d cores free; with more threads than that a training is many "
            "times slower, and so is the other; better end this one and give trainer.threads=%d",
            free,
            THREADS,
            free,
        )
    logger.info(
        "%s of %s parameters; %d training and %d validation images; %s, since %s",
        task.choice.name,
        f"{count_parameters(task.network):,}",
        len(data.train_records),
        len(data.val_records),
        precision.name,
        precision.reason,
    )
    if resume:
        logger.info("going on from %s", resume)
    if config.trainer.processes > 1:
        _tell_together(config, task)


def _tell_together(config: TrainConfig, task: "SegmentationTask") -> None:
    from torch.nn.modules.batchnorm import _BatchNorm

    from fetal_seg.models.device import choose_device

    processes, batch = config.trainer.processes, config.data.batch_size
    logger.info("%d processes train together: a step takes %d images", processes, processes * batch)
    has_batch_norm = any(isinstance(module, _BatchNorm) for module in task.network.modules())
    if has_batch_norm and choose_device(config.trainer.accelerator).type == "cpu":
        logger.warning(
            "PyTorch shares the statistics of batch normalisation among GPUs alone: each process has those of its own "
            "%d images; model.norm=group is the same for any number of processes",
            batch,
        )


def tell_processes(config: TrainConfig, before: int | None) -> None:
    """Warn where a training goes on with another number of processes than it had.

    Args:
        before: how many it had; None where that is not known.
    """
    now, batch = config.trainer.processes, config.data.batch_size
    if before is None or before == now:
        return
    logger.warning(
        "the training goes on with %d processes instead of %d: a step takes %d images instead of %d, the schedule of "
        "the learning rate goes on at the same step of another number of steps, and of an epoch that was cut off some "
        "images come twice and others not; to go on to the same bits give trainer.devices and trainer.num_nodes of "
        "before",
        now,
        before,
        now * batch,
        before * batch,
    )


def tell_results(
    run_dir: Path, trackers: Sequence["Tracker"], chosen: Mapping[str, Any], final: dict[str, float] | None
) -> None:
    """Tell the trackers the results of a training, and the user where to look; of one that was pruned nothing."""
    from fetal_seg.files import read_csv
    from fetal_seg.training.tracking import final_metrics

    if final is None:
        return
    last = int(read_csv(run_dir / "metrics.csv")[-1]["epoch"])
    for tracker in trackers:
        tracker.log_results(chosen, final_metrics(final), last)
    ways = [tracker.how_to_look for tracker in trackers if not tracker.has_failed] or [str(run_dir / "curves.png")]
    logger.info("results: %s\ncurves:  %s", run_dir, "\n         ".join(ways))
