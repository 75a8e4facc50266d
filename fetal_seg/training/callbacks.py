"""What a training leaves behind at each epoch: a table, and what its trackers are told."""

import io
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import Logger

from fetal_seg.data.records import Record
from fetal_seg.files import read_csv, whole_file, write_csv
from fetal_seg.geometry.arrays import FloatArray, Grey
from fetal_seg.geometry.ellipse_fit import fit_head
from fetal_seg.images.drawing import Picture, overlay
from fetal_seg.progress import ReportEpoch
from fetal_seg.training.sampling import Batch
from fetal_seg.training.tracker import Tracker

logger = logging.getLogger(__name__)

EPOCH_COLUMNS = ("epoch", "train/loss", "val/loss", "train/dice", "val/dice", "lr", "seconds", "train/iou", "val/iou")


class EpochTable(Callback):
    """Writes ``metrics.csv``, a row an epoch, and tells the same numbers to all trackers.

    The rows travel in the checkpoint, so that a resumed run goes on with the table that belongs to it.

    Args:
        file: None writes none.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.rows: list[dict[str, float]] = []
        self._start = 0.0

    @property
    def state_key(self) -> str:
        """What checkpoints call the rows, whatever this class is called."""
        return "EpochTable"

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the rows of a checkpoint."""
        self.rows = list(state_dict["rows"])

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell the rows of a checkpoint to trackers that do not know them."""
        for tracker in _trackers(trainer):
            for row in () if tracker.continues else self.rows:
                _tell(tracker, row)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock; of a run that goes on within an epoch it counts from here."""
        self._start = time.perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock again."""
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch's row; validation has run by now."""
        metrics = trainer.callback_metrics
        names = [name for name in EPOCH_COLUMNS if has_validated(trainer) or not name.startswith("val/")]
        values = {name: float(metrics[name]) for name in names if name in metrics}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        seconds = round(time.perf_counter() - self._start, 3)
        self.rows.append({"epoch": trainer.current_epoch, **values, "lr": rate, "seconds": seconds})
        if not trainer.is_global_zero:
            return
        logger.info(_epoch_text(self.rows[-1], trainer.max_epochs))
        if self._file is not None:
            write_csv(self._file, EPOCH_COLUMNS, ({**row, "epoch": int(row["epoch"])} for row in self.rows))
        for tracker in trainer.loggers:
            _tell(tracker, self.rows[-1])


def _trackers(trainer: Trainer) -> list[Tracker]:
    return [tracker for tracker in trainer.loggers if isinstance(tracker, Tracker)]


def _tell(tracker: Logger, row: dict[str, float]) -> None:
    tracker.log_metrics({name: value for name, value in row.items() if name != "epoch"}, step=int(row["epoch"]))


def has_validated(trainer: Trainer) -> bool:
    """Whether the epoch that ends has been validated; what earlier ones gave is kept by Lightning."""
    every = trainer.check_val_every_n_epoch
    return not every or (trainer.current_epoch + 1) % every == 0


class PruningCallback(Callback):
    """Reports each epoch and its validation Dice, and ends the training where the report returns True.

    After a resume the earlier epochs are reported again, before anything is trained: they may have been all.

    Attributes:
        pruned: whether the training was ended so.
    """

    def __init__(self, report_epoch: ReportEpoch) -> None:
        self._report_epoch, self._reported = report_epoch, 0
        self.pruned = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the epochs of the checkpoint that the training goes on from."""
        self._report_new(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the epoch."""
        self._report_new(trainer)

    def _report_new(self, trainer: Trainer) -> None:
        table = next(callback for callback in trainer.callbacks if isinstance(callback, EpochTable))  # type: ignore[attr-defined]  # reason: it has them
        for row in table.rows[self._reported :]:
            if "val/dice" in row:
                self.pruned = self.pruned or self._report_epoch(int(row["epoch"]), row["val/dice"])
        self._reported = len(table.rows)
        trainer.should_stop = trainer.should_stop or self.pruned


def last_epoch(metrics_csv: Path) -> dict[str, float]:
    """Losses and Dice of the last epoch in a table."""
    return {name: float(value) for name, value in read_csv(metrics_csv)[-1].items() if "/" in name and value}


def _epoch_text(row: dict[str, float], epochs: int | None) -> str:
    losses = ", ".join(f"{name} {row[name]:.4f}" for name in EPOCH_COLUMNS[1:5] if name in row)
    return f"epoch {int(row['epoch']) + 1}/{epochs}: {losses}, {row['seconds']:.0f} s"


class ValidationPictures(Callback):
    """Draws the same validation images, spread over the part, with truth and prediction at each epoch.

    Args:
        records: of the validation part.
        count: how many are drawn, at most.
        processes: that share the part; the first of them draws.
    """

    def __init__(self, records: Sequence[Record], count: int, processes: int = 1) -> None:
        seen = range(0, len(records), processes)
        rows = {seen[round(place)] for place in np.linspace(0, len(seen) - 1, min(count, len(seen)))}
        self._names = {row: records[row].name for row in sorted(rows)}

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int, *_: Any
    ) -> None:
        """Draw what the validation predicted, if some of these images are among those to draw."""
        trackers = [tracker for tracker in _trackers(trainer) if tracker.holds_pictures]
        if trainer.sanity_checking or not trainer.is_global_zero or not trackers:
            return
        first = batch_idx * trainer.val_dataloaders.batch_size  # type: ignore[union-attr]  # reason: it runs
        for index in range(len(batch["image"])):
            # Of several processes the first sees every so many-th image
            name = self._names.get((first + index) * trainer.world_size)
            if name is not None:
                image, mask, logits = (
                    values[index, 0].float().cpu().numpy()
                    for values in (batch["image"], batch["mask"], outputs["logits"])
                )
                picture = _prediction_picture(image.astype(np.uint8), mask, logits)
                for tracker in trackers:
                    tracker.log_picture(f"validation/{name}", picture, trainer.current_epoch)


def _prediction_picture(image: Grey, mask: FloatArray, logits: FloatArray) -> Picture:
    """An image (h, w) with the ellipses of its true mask, coverage of 0 to 255, and of predicted logits."""
    same = np.eye(2, 3)
    prediction, truth = fit_head(logits, 0.0, same), fit_head(mask, 127.5, same)
    return overlay(
        image,
        mask=(logits > 0).astype(np.uint8),
        prediction=prediction.ellipse if prediction else None,
        truth=truth.ellipse if truth else None,
    )


class WholeCheckpoints(TorchCheckpointIO):
    """Writes each checkpoint to a temporary name first: a run killed while saving keeps the one before."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Save, then rename."""
        with whole_file(Path(path)) as temporary:
            content = io.BytesIO()
            torch.save(
                checkpoint, content
            )  # into memory: of a full disk its own writer says nothing but "unexpected pos"
            temporary.write_bytes(content.getbuffer())
