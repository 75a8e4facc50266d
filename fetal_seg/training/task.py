"""The Lightning module: how a network is trained to segment heads."""

from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import MetricCollection

from fetal_seg.config.choices import Choice
from fetal_seg.config.model import EncoderDecoderConfig, ModelConfig
from fetal_seg.config.training import AdamWConfig, BceDiceConfig, OneCycleConfig, OptimConfig
from fetal_seg.config.types import GroupConfig
from fetal_seg.models.building import build_network
from fetal_seg.models.checkpoint import KEY
from fetal_seg.models.description import CheckpointDescription
from fetal_seg.models.preprocessing import normalise
from fetal_seg.training.callbacks import EpochTable
from fetal_seg.training.datamodule import HeadDataModule
from fetal_seg.training.epoch_metrics import head_metrics
from fetal_seg.training.losses import build_loss, deep_supervision_loss
from fetal_seg.training.optimizers import build_optimizer
from fetal_seg.training.schedulers import build_scheduler


class SegmentationTask(LightningModule):
    """Trains a network on batches of ``image`` and ``mask`` (n, 1, h, w) uint8, as `HeadDataModule` gives them.

    Checkpoints describe themselves, so that `Predictor.load` needs nothing but their file.

    Args:
        model: which network, or a choice that a checkpoint names.
        network: this network, built and perhaps trained before; None for a new one.
        optim, scheduler, loss: how it is trained.
        seed: dropout draws from (seed, epoch, batch), so that a resumed run draws the same.

    Attributes:
        choice: the name and the keys of the network.
        description: what its checkpoints say of themselves; known once the data are.
    """

    def __init__(
        self,
        model: ModelConfig | Choice | None = None,
        *,
        network: nn.Module | None = None,
        optim: OptimConfig | None = None,
        scheduler: GroupConfig | None = None,
        loss: GroupConfig | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.choice = model if isinstance(model, Choice) else (model or EncoderDecoderConfig()).choice
        network = network or build_network(self.choice)
        self.network = network.to(memory_format=torch.channels_last)  # 1.7 times as fast on a CPU
        self._optim, self._scheduler = (optim or AdamWConfig()).choice, (scheduler or OneCycleConfig()).choice
        self._loss = build_loss((loss or BceDiceConfig()).choice)
        self._seed = seed
        self.train_metrics, self.val_metrics, self.test_metrics = map(head_metrics, ("train/", "val/", "test/"))
        self.description: CheckpointDescription | None = None
        self._has_table = False

    def setup(self, stage: str) -> None:
        """Take note of the data, for the checkpoints, and of what else logs."""
        self._has_table = any(isinstance(callback, EpochTable) for callback in self.trainer.callbacks)  # type: ignore[attr-defined]  # reason: it has them
        data = getattr(self.trainer, "datamodule", None)
        if self.description is None and isinstance(data, HeadDataModule):
            self.description = data.describe(self.choice)

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Logits of images (n, 1, h, w), 0 to 255."""
        batch = normalise(images)
        logits: Tensor | list[Tensor] = self.network(batch.contiguous(memory_format=torch.channels_last))
        return logits

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Make the random numbers of this step a function of where it stands."""
        step = (self._seed * 1_000_003 + self.current_epoch) * 1_000_003 + batch_idx
        torch.manual_seed((step * 1_009 + self.global_rank) % 2**63)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """The loss of a batch; logs ``train/loss``, ``train/dice`` and ``train/iou``."""
        return self._step(batch, "train", self.train_metrics)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """The loss of a batch; logs ``val/loss``, ``val/dice`` and ``val/iou``."""
        return self._step(batch, "val", self.val_metrics)

    def test_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """The loss of a batch; logs ``test/loss``, ``test/dice`` and ``test/iou``.

        Masks are compared at the network's size. Ellipses and millimetres are measured by ``evaluate.py``.
        """
        return self._step(batch, "test", self.test_metrics)

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Logits (n, 1, h, w) at the network's size; for ellipses and millimetres use `Predictor` on a checkpoint."""
        logits = self(batch["image"])
        return logits if isinstance(logits, Tensor) else logits[0]

    def _step(self, batch: dict[str, Tensor], part: str, metrics: MetricCollection) -> Tensor:
        outputs = self(batch["image"])
        target = batch["mask"].float() / 255
        loss = deep_supervision_loss(self._loss, outputs, target)
        finest = outputs if isinstance(outputs, Tensor) else outputs[0]
        metrics.update(finest.detach() > 0, target > 0.5)
        options: dict[str, Any] = {"on_step": False, "on_epoch": True, "batch_size": len(target)}
        options["logger"] = not self._has_table  # which writes the same names, by epoch
        self.log(f"{part}/loss", loss.detach(), sync_dist=True, **options)
        self.log_dict(metrics, **options)
        return loss

    def configure_optimizers(self) -> Any:
        """The optimizer, and the schedule over all steps of the training."""
        optimizer = build_optimizer(self.network.parameters(), self._optim)
        scheduler = build_scheduler(optimizer, self._scheduler, int(self.trainer.estimated_stepping_batches))
        if scheduler is None:
            return optimizer
        if isinstance(scheduler, ReduceLROnPlateau):
            timing = {"interval": "epoch", "monitor": "val/loss"}
        else:
            timing = {"interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, **timing}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the checkpoint describe itself."""
        if self.description is not None:
            checkpoint[KEY] = self.description.to_dict()
