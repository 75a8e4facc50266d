"""One training, from a checked configuration to a run folder: data, network, Lightning, evaluation.

What it needs is imported where it is used: what may be wrong with the data is told before PyTorch is imported.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.commands.endings import LAST, recorded
from fetal_seg.commands.telling import tell_processes, tell_results, tell_start
from fetal_seg.config.commands import TrainConfig
from fetal_seg.config.processes import is_first_process
from fetal_seg.errors import InputError
from fetal_seg.progress import ReportEpoch

if TYPE_CHECKING:
    from fetal_seg.data.loading import PreparedImages
    from fetal_seg.data.planes import PlaneImage
    from fetal_seg.models.description import CheckpointDescription
    from fetal_seg.models.device import ChosenPrecision
    from fetal_seg.training.datamodule import HeadDataModule
    from fetal_seg.training.run_record import RunRecord
    from fetal_seg.training.task import SegmentationTask
    from fetal_seg.training.tracker import Tracker

logger = logging.getLogger(__name__)


def run(
    config: TrainConfig, run_dir: Path, command_line: Sequence[str], report_epoch: ReportEpoch | None = None
) -> dict[str, float] | None:
    """Prepare the data, train, measure the validation images.

    Args:
        report_epoch: is given each epoch and its validation Dice (also those before a resume); where it returns True
            the training is ended.

    Returns:
        Metrics of the last epoch and the means of the evaluation; None where the training was pruned or a
        ``fast_dev_run``, and in processes other than the first.

    Raises:
        InputError: the data, the checkpoint to go on from or a tracker cannot be used; or the run's folder cannot be
            written.
        DivergedError: the loss is not finite any more.
        Interrupted: a signal came, and what there is was saved.
    """
    from fetal_seg.data.loading import prepare_images
    from fetal_seg.data.planes import read_planes

    planes = read_planes(config.data.negatives) if config.data.negatives else []
    prepared = prepare_images(config.data)

    from fetal_seg.training.callbacks import PruningCallback
    from fetal_seg.training.initial_weights import checkpoint_to_resume
    from fetal_seg.training.interruption import Interruption
    from fetal_seg.training.process import quiet_lightning, use_threads
    from fetal_seg.training.tracking import hyperparameters, tracking
    from fetal_seg.training.trainer import build_trainer

    quiet_lightning()
    use_threads(config.trainer.threads)
    data, task, description = _build(config, prepared)
    _check_limits(config, data)
    resume = checkpoint_to_resume(config.ckpt_path, run_dir, description)
    pruning = PruningCallback(report_epoch) if report_epoch else None
    interruption = Interruption(run_dir / LAST)
    more = [interruption, *([pruning] if pruning else [])]
    trainer, precision = build_trainer(config.trainer, run_dir, data, more)
    keeps = is_first_process() and not config.trainer.fast_dev_run
    begin = partial(_begin, config, run_dir, command_line, data, precision) if keeps else None
    chosen, group = hyperparameters(config, task.choice), _group_of(run_dir)
    with (
        recorded(begin, trainer, run_dir, command_line, tells=report_epoch is None) as record,
        interruption.listening(),
        ExitStack() as stack,
    ):
        trackers: list[Tracker] = []
        if record is not None:
            tell_start(config, data, task, precision, resume)
            if resume:
                tell_processes(config, record.earlier_processes)
            must_start = not group and not resume  # what has begun goes on without a tracker that is gone
            tracked = tracking(config.logger, run_dir, record, chosen, group=group, must_start=must_start)
            trackers = stack.enter_context(tracked)
        trainer.loggers = list(trackers)
        trainer.fit(task, datamodule=data, ckpt_path=resume, weights_only=True)
        if config.trainer.fast_dev_run:
            logger.info("fast_dev_run: a batch trained, another validated, and all is well; nothing is kept")
        if record is None:
            return None
        if not (run_dir / "metrics.csv").is_file():  # of a checkpoint in another folder
            raise InputError(
                f"ckpt_path={resume} leaves nothing to train: it has had its epochs, or stopped early; give more by "
                f"trainer.max_epochs, or start from its weights: model.init={resume}"
            )
        final = _conclude(config, run_dir, data, planes, record, is_pruned=bool(pruning and pruning.pruned))
        tell_results(run_dir, trackers, chosen, final)
        return final


def _group_of(run_dir: Path) -> str | None:
    """The name of the sweep or search that a run is of; None where the run stands alone."""
    from fetal_seg.evaluation.runs import JOBS, SPACE

    folder = run_dir.resolve().parent
    return folder.name if (folder / JOBS).is_file() or (folder / SPACE).is_file() else None


def _conclude(
    config: TrainConfig,
    run_dir: Path,
    data: "HeadDataModule",
    planes: Sequence["PlaneImage"],
    record: "RunRecord",
    *,
    is_pruned: bool,
) -> dict[str, float] | None:
    """What follows a training: its curves, its evaluation, its record."""
    from fetal_seg.commands.evaluate import evaluate_trained
    from fetal_seg.evaluation.runs import RunStatus
    from fetal_seg.evaluation.summary import final_metrics
    from fetal_seg.files import read_csv
    from fetal_seg.report.run.curves import draw_curves
    from fetal_seg.training.callbacks import last_epoch

    draw_curves(run_dir / "metrics.csv", run_dir / "curves.png")
    final = last_epoch(run_dir / "metrics.csv")
    epochs = len(read_csv(run_dir / "metrics.csv"))  # Lightning counts none where a run goes on after its last
    if is_pruned:
        record.add(status=RunStatus.PRUNED, epochs=epochs, metrics=final)
        return None
    if config.evaluate:
        checkpoint, started = run_dir / "checkpoints" / f"{config.checkpoint}.ckpt", config.model.init is not None
        summary = evaluate_trained(
            run_dir / "evaluation", checkpoint, data.train_records, data.val_records, planes, started=started
        )
        if summary:
            final |= final_metrics(summary)
            record.add(runtime=summary["runtime"])
    record.add(status=RunStatus.FINISHED, epochs=epochs, metrics=final)
    if config.trainer.profiler:
        logger.info("profile: %s", run_dir / "fit-profile.txt")
    return final


def _check_limits(config: TrainConfig, data: "HeadDataModule") -> None:
    """See that a part of an epoch's batches is at least one of them."""
    limits = {"train": config.trainer.limit_train_batches, "val": config.trainer.limit_val_batches}
    for part, images in {"train": data.train_records, "val": data.val_records}.items():
        batches = -(-len(images) // config.data.batch_size)
        if isinstance(limits[part], float) and batches * limits[part] < 1:
            raise InputError(
                f"trainer.limit_{part}_batches={limits[part]:g} of {batches} batches is none; give a larger part, or 1"
            )


def _build(
    config: TrainConfig, prepared: "PreparedImages"
) -> tuple["HeadDataModule", "SegmentationTask", "CheckpointDescription"]:
    """The data module and the task; the network's weights are a function of the seed."""
    from lightning.pytorch import seed_everything

    from fetal_seg.data.records import digests
    from fetal_seg.models.building import build_network
    from fetal_seg.training.datamodule import HeadDataModule
    from fetal_seg.training.initial_weights import starting_checkpoint, warn_of_start
    from fetal_seg.training.task import SegmentationTask

    start = starting_checkpoint(config.model)
    before = start.description.split.seen if start else ()
    data = HeadDataModule(config.data, config.augmentation, seed=config.seed, prepared=prepared, seen_before=before)
    choice = start.description.network if start else config.model.choice
    description = data.describe(choice)
    if start:
        warn_of_start(start, description, digests(data.val_records))
    seed_everything(config.seed, verbose=False)
    network = start.build_network().train() if start else build_network(choice)
    if config.model.compile:
        network.compile()  # the network alone: Lightning's logging cannot be compiled
    task = SegmentationTask(
        choice, network=network, optim=config.optim, scheduler=config.scheduler, loss=config.loss, seed=config.seed
    )
    return data, task, description


def _begin(
    config: TrainConfig,
    run_dir: Path,
    command_line: Sequence[str],
    data: "HeadDataModule",
    precision: "ChosenPrecision",
) -> "RunRecord":
    """Write what is known before the training; the run's record."""
    from fetal_seg.data.split_files import write_split
    from fetal_seg.files import remove_partial_files
    from fetal_seg.training.run_record import RunRecord

    remove_partial_files(run_dir)  # of a process that was killed while it saved a checkpoint
    write_split(run_dir / "split.json", data.split, {record.name: record.examination for record in data.records})
    return RunRecord(
        run_dir / "run.json",
        command_line,
        seed=config.seed,
        data_fingerprint=data.fingerprint,
        precision=precision.name,
        precision_reason=precision.reason,
        processes=config.trainer.processes,
    )
