"""The Lightning trainer of a run: its callbacks, its precision, where it goes on."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.profilers import Profiler, PyTorchProfiler, SimpleProfiler

from fetal_seg.config.training import TrainerConfig
from fetal_seg.models.device import ChosenPrecision, choose_device, choose_precision
from fetal_seg.training.callbacks import EpochTable, ValidationPictures, WholeCheckpoints
from fetal_seg.training.datamodule import HeadDataModule
from fetal_seg.training.process import processes_environment
from fetal_seg.training.weight_averaging import MovingAverage

PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")  # in Lightning's state of its checkpoints
BEST = "val/dice"  # what chooses the best checkpoint; higher is better


class MovableCheckpoint(ModelCheckpoint):
    """Knows its best checkpoint again where the run's folder has moved since."""

    @property
    def state_key(self) -> str:
        """What checkpoints call its state: as those do that Lightning's own wrote."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with a state, whose files are where this run's are."""

        def here(path: str) -> str:
            return str(Path(self.dirpath or "") / Path(path).name) if path else path

        paths = {key: here(state_dict[key]) for key in PATHS if key in state_dict}
        models = {here(path): score for path, score in state_dict.get("best_k_models", {}).items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": models, "dirpath": self.dirpath})


class LastingStop(EarlyStopping):
    """Trains no further epoch where the checkpoint that a run goes on from is that of its stop."""

    @property
    def state_key(self) -> str:
        """What checkpoints call its state: as those do that Lightning's own wrote."""
        return super().state_key.replace(type(self).__qualname__, EarlyStopping.__qualname__, 1)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop again: Lightning keeps how long it has waited, and not that it was too long."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


def build_trainer(
    keys: TrainerConfig, run_dir: Path, data: HeadDataModule, more: Sequence[Callback] = ()
) -> tuple[Trainer, ChosenPrecision]:
    """The trainer of a run that writes into `run_dir`, with `more` callbacks; and its precision.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    device = choose_device(keys.accelerator)
    precision = choose_precision(keys.precision, device)
    trainer = Trainer(
        default_root_dir=run_dir,
        max_epochs=keys.max_epochs,
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=keys.devices,
        num_nodes=keys.num_nodes,
        strategy=keys.strategy,
        sync_batchnorm=device.type == "cuda" and keys.processes > 1,  # PyTorch has it for GPUs alone
        precision=precision.name,  # type: ignore[arg-type]  # reason: Lightning's literal type, checked by our schema
        gradient_clip_val=keys.gradient_clip_val or None,
        accumulate_grad_batches=keys.accumulate_grad_batches,
        num_sanity_val_steps=0,
        logger=False,  # `tracking` gives it the run's trackers
        callbacks=[*_callbacks(keys, run_dir, data), *more],
        plugins=[WholeCheckpoints(), processes_environment()],
        enable_progress_bar=keys.progress_bar and sys.stderr.isatty(),
        enable_model_summary=False,
        profiler=_profiler(keys.profiler, run_dir),
        fast_dev_run=keys.fast_dev_run,
        limit_train_batches=keys.limit_train_batches,
        limit_val_batches=keys.limit_val_batches,
        check_val_every_n_epoch=keys.check_val_every_n_epoch,
        detect_anomaly=keys.detect_anomaly,
        log_every_n_steps=1_000_000,  # EpochTable logs, once an epoch
    )
    return trainer, precision


def _callbacks(keys: TrainerConfig, run_dir: Path, data: HeadDataModule) -> list[Callback]:
    callbacks: list[Callback] = [
        EpochTable(None if keys.fast_dev_run else run_dir / "metrics.csv"),
        _checkpoints(run_dir, "best", monitor=BEST, mode="max", every_n_epochs=keys.check_val_every_n_epoch),
        _checkpoints(run_dir, "last"),  # Lightning's save_last would leave out epochs that are not the best
    ]
    if keys.log_images:
        callbacks.append(ValidationPictures(data.val_records, keys.log_images, keys.processes))
    if keys.ema_decay:  # after the pictures, which show the averaged weights
        callbacks.append(MovingAverage(keys.ema_decay))
    if keys.early_stopping_patience:
        callbacks.append(LastingStop(BEST, mode="max", patience=keys.early_stopping_patience))
    if keys.progress_bar and sys.stderr.isatty():
        callbacks.append(RichProgressBar())
    return callbacks


def _profiler(name: str | None, run_dir: Path) -> Profiler | None:
    """What tells where the time goes, in the run's folder: a table, and for PyTorch's operations a trace as well."""
    if name is None:
        return None
    return SimpleProfiler(run_dir, "profile") if name == "simple" else PyTorchProfiler(run_dir, "profile")


def _checkpoints(run_dir: Path, name: str, **ranking: Any) -> ModelCheckpoint:
    """Keep one checkpoint, under a fixed name: of the best epoch by a metric, or without one of the last."""
    return MovableCheckpoint(
        run_dir / "checkpoints",
        name,
        save_on_train_epoch_end=True,  # when EpochTable has the epoch's row
        enable_version_counter=False,
        auto_insert_metric_name=False,
        **ranking,
    )
