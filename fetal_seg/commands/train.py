"""One experiment, from a checked configuration to a run folder: data, training, evaluation.

What it needs is imported where it is used: what may be wrong with the data is told before torch is imported.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetal_seg.config.commands import TrainConfig
from fetal_seg.config.model import EncoderDecoderConfig

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from fetal_seg.data.cache import ImageCache
    from fetal_seg.data.records import Record
    from fetal_seg.training.datamodule import HeadDataModule
    from fetal_seg.training.task import SegmentationTask

logger = logging.getLogger(__name__)

Watch = Callable[[int, float], bool]


def run_experiment(config: TrainConfig, run_dir: Path, watch: Watch | None = None) -> dict[str, float] | None:
    """Prepare the data, train, measure the validation images.

    Args:
        config: checked.
        run_dir: gets everything that is known of the run.
        watch: is told each epoch and its validation Dice (also those before a resume); the training
            is given up where it returns True.

    Returns:
        Losses and Dice of the last epoch and the means of the evaluation; None where the training was
        given up, and in processes other than the first.

    Raises:
        InputError: the data, or the checkpoint to go on from, cannot be used.
    """
    records, cache = _prepare_images(config)

    from fetal_seg.data.split_files import write_split
    from fetal_seg.report.run.curves import draw_curves
    from fetal_seg.training.callbacks import GiveUp, last_epoch
    from fetal_seg.training.initial_weights import checkpoint_to_resume
    from fetal_seg.training.run_record import RunRecord
    from fetal_seg.training.runtime import is_first_process, quiet_lightning, use_threads
    from fetal_seg.training.trainer import build_trainer

    quiet_lightning()
    use_threads(config.trainer.threads)
    data = _build_data(config, records, cache)
    task = _build_task(config, data)
    network = task.description["network"]
    resume = checkpoint_to_resume(config.ckpt_path, run_dir, task.description)
    given_up = GiveUp(watch) if watch else None
    trainer, precision = build_trainer(config.trainer, run_dir, data, [given_up] if given_up else [])
    first = is_first_process()
    if first:
        record = RunRecord(run_dir / "run.json", seed=config.seed, data_fingerprint=data.fingerprint, **precision)
        write_split(run_dir / "split.json", data.split, {record.name: record.examination for record in data.records})
        _announce(data, task, precision, resume)
    trainer.fit(task, datamodule=data, ckpt_path=resume, weights_only=True)
    if not first:
        return None
    draw_curves(run_dir / "metrics.csv", run_dir / "curves.png")
    final = last_epoch(run_dir / "metrics.csv")
    if given_up and given_up.happened:
        record.add(status="pruned", epochs=trainer.current_epoch, metrics=final)
        return None
    if config.evaluate:
        final |= _evaluate(run_dir, config.checkpoint, data)
    _log_hyperparameters(trainer, config, network, final)
    record.add(status="finished", epochs=trainer.current_epoch, metrics=final)
    logger.info("results: %s\ncurves:  tensorboard --logdir %s", run_dir, run_dir.parent)
    return final


def _prepare_images(config: TrainConfig) -> tuple[list["Record"], "ImageCache"]:
    from fetal_seg.data.cache import build_cache
    from fetal_seg.data.sources import cache_folder, load_records
    from fetal_seg.geometry.letterbox import Letterbox

    cache_dir = cache_folder(config.data.cache_dir)
    records = load_records(_plain(config.data), cache_dir)
    return records, build_cache(records, Letterbox(config.data.height, config.data.width), cache_dir)


def _build_data(config: TrainConfig, records: list["Record"], cache: "ImageCache") -> "HeadDataModule":
    from fetal_seg.data.augmentation.pipeline import Augmentation
    from fetal_seg.data.split_files import SplitRule
    from fetal_seg.training.datamodule import HeadDataModule
    from fetal_seg.training.runtime import worker_count

    data = config.data
    split_file = Path(data.split_file).expanduser() if data.split_file else None
    split_seed = config.seed if data.split_seed is None else data.split_seed
    return HeadDataModule(
        records,
        cache,
        SplitRule(data.split, split_seed, data.val_fraction, data.folds, data.fold, split_file),
        Augmentation(**asdict(data.augmentation)),
        seed=config.seed,
        batch_size=data.batch_size,
        workers=worker_count(data.workers, config.trainer.accelerator),
        limit=data.limit,
    )


def _build_task(config: TrainConfig, data: "HeadDataModule") -> "SegmentationTask":
    from lightning.pytorch import seed_everything

    from fetal_seg.models.checkpoint import describe
    from fetal_seg.models.preprocessing import GREY_MEAN, GREY_STD
    from fetal_seg.training.initial_weights import (
        first_network,
        network_keys,
        starting_checkpoint,
        warn_of_another_size,
        warn_of_seen_images,
    )
    from fetal_seg.training.task import SegmentationTask

    model = _plain(config.model)
    start = starting_checkpoint(model, _plain(EncoderDecoderConfig()))
    keys = start.description["network"] if start else network_keys(model)
    if start:
        warn_of_seen_images(start, data.fingerprint, data.split.val)
    seed_everything(config.seed, verbose=False)
    network = first_network(start, keys)
    if model.get("compile"):
        network.compile()  # the network alone: Lightning's logging cannot be compiled
    size = {"height": config.data.height, "width": config.data.width}
    if start:
        warn_of_another_size(start, size)
    description = describe(
        keys,
        {**size, "mean": GREY_MEAN, "std": GREY_STD},
        {**_plain(config.data), "fingerprint": data.fingerprint},
        {"train": list(data.split.train), "val": list(data.split.val)},
    )
    optim, scheduler, loss = _plain(config.optim), _plain(config.scheduler), _plain(config.loss)
    return SegmentationTask(network, description, optim=optim, scheduler=scheduler, loss=loss, seed=config.seed)


def _announce(data: "HeadDataModule", task: "SegmentationTask", precision: dict[str, str], resume: str | None) -> None:
    from fetal_seg.models.registry import count_parameters

    logger.info(
        "%s of %s parameters; %d training and %d validation images; %s, since %s",
        task.description["network"]["name"],
        f"{count_parameters(task.network):,}",
        len(data.train_records),
        len(data.val_records),
        precision["precision"],
        precision["precision_reason"],
    )
    if resume:
        logger.info("going on from %s", resume)


def _evaluate(run_dir: Path, checkpoint: str, data: "HeadDataModule") -> dict[str, float]:
    from fetal_seg.commands.evaluate import evaluate_to
    from fetal_seg.evaluation.summary import final_metrics
    from fetal_seg.inference.predictor import Predictor

    ckpt = run_dir / "checkpoints" / f"{checkpoint}.ckpt"
    return final_metrics(evaluate_to(run_dir / "evaluation", Predictor.load(ckpt), data.val_records, calibrate=ckpt))


def _log_hyperparameters(
    trainer: "Trainer", config: TrainConfig, network: dict[str, Any], final: dict[str, float]
) -> None:
    """Put what studies compare beside the final metrics in TensorBoard's HPARAMS tab, which sorts it by name."""
    from lightning.pytorch.loggers import TensorBoardLogger

    chosen: dict[str, Any] = {}
    groups = {group: _plain(getattr(config, group)) for group in ("optim", "scheduler", "loss")}
    for group, keys in ({"model": dict(network)} | groups).items():
        chosen |= {group: keys.pop("name"), **{f"{group}.{key}": value for key, value in keys.items()}}
    chosen |= {"train.epochs": config.trainer.max_epochs, "train.batch_size": config.data.batch_size}
    chosen |= {"train.height": config.data.height, "train.width": config.data.width, "seed": config.seed}
    if isinstance(trainer.logger, TensorBoardLogger):
        metrics = {f"final/{name.replace('/', '_')}": value for name, value in final.items()}
        trainer.logger.log_hyperparams(chosen, metrics)
        trainer.logger.finalize("success")


def _plain(group: Any) -> dict[str, Any]:
    """A group of the configuration as nested dicts."""
    return asdict(group) if is_dataclass(group) and not isinstance(group, type) else dict(vars(group))
