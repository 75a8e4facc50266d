"""The Lightning module: how a network is trained to segment heads."""

from collections.abc import Iterable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import Metric, MetricCollection

from fetal_seg.config.choices import Choice
from fetal_seg.config.model import EncoderDecoderConfig, ModelConfig
from fetal_seg.config.training import AdamWConfig, BceDiceConfig, OneCycleConfig, OptimConfig
from fetal_seg.config.types import GroupConfig
from fetal_seg.errors import DivergedError
from fetal_seg.models.building import build_network
from fetal_seg.models.checkpoint import KEY
from fetal_seg.models.description import CheckpointDescription
from fetal_seg.models.preprocessing import normalise
from fetal_seg.training.callbacks import EpochTable
from fetal_seg.training.datamodule import HeadDataModule
from fetal_seg.training.epoch_metrics import count_overlap, head_metrics
from fetal_seg.training.losses import build_loss, deep_supervision_loss
from fetal_seg.training.optimizers import build_optimizer
from fetal_seg.training.sampling import Batch
from fetal_seg.training.schedulers import build_scheduler, without_length

STEPS_UNSEEN = 10  # of a GPU, which would wait if each loss were looked at
METRICS = "train_metrics"  # what a checkpoint within an epoch calls what was counted of it so far


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
        self._has_table = self._goes_on_within = False

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
        seed = (step * 1_009 + self.global_rank) % 2**63
        torch.default_generator.manual_seed(seed)  # torch.manual_seed visits every kind of device each time
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch; logs ``train/loss``, ``train/dice`` and ``train/iou``."""
        return self._step(batch, batch_idx, self.train_metrics)[0]

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """The ``loss`` of a batch and its ``logits``; logs ``val/loss``, ``val/dice`` and ``val/iou``."""
        loss, logits = self._step(batch, batch_idx, self.val_metrics)
        return {"loss": loss, "logits": logits}

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch; logs ``test/loss``, ``test/dice`` and ``test/iou``.

        Masks are compared at the network's size. Ellipses and millimetres are measured by ``evaluate.py``.
        """
        return self._step(batch, batch_idx, self.test_metrics)[0]

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Logits (n, 1, h, w) at the network's size; for ellipses and millimetres use `Predictor` on a checkpoint."""
        logits = self(batch["image"])
        return logits if isinstance(logits, Tensor) else logits[0]

    def _step(self, batch: Batch, batch_idx: int, metrics: MetricCollection) -> tuple[Tensor, Tensor]:
        outputs = self(batch["image"])
        target = batch["mask"].float() / 255
        loss = deep_supervision_loss(self._loss, outputs, target)
        if (self.device.type == "cpu" or batch_idx % STEPS_UNSEEN == 0) and not bool(torch.isfinite(loss)):
            raise DivergedError(self._why_diverged(batch_idx))
        finest = outputs if isinstance(outputs, Tensor) else outputs[0]
        metrics["loss"].update(loss.detach().expand(len(target)))  # torchmetrics forgets weights where NaN may be
        overlap = count_overlap(finest.detach() > 0, target > 0.5)
        metrics["dice"].update(overlap)
        metrics["iou"].update(overlap)
        if batch_idx == 0 or self._goes_on_within:  # Lightning computes them when the epoch ends
            self._goes_on_within = False
            logs = not self._has_table  # which writes the same names, by epoch
            self.log_dict(metrics, on_step=False, on_epoch=True, batch_size=len(target), logger=logs)
        return loss, finest.detach()

    def _why_diverged(self, batch_idx: int) -> str:
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        clips = "a lower trainer.gradient_clip_val" if self.trainer.gradient_clip_val else "trainer.gradient_clip_val=1"
        return (
            f"the loss is not finite in epoch {self.current_epoch + 1}, step {batch_idx + 1}, at a learning rate of "
            f"{rate:.3g}: the training has diverged; take a lower optim.lr, {clips}, or "
            "trainer.precision=32-true"
        )

    def configure_optimizers(self) -> Any:
        """The optimizer, and the schedule over all steps of the training."""
        optimizer = build_optimizer(self.network.parameters(), self._optim)
        scheduler = build_scheduler(optimizer, self._scheduler, int(self.trainer.estimated_stepping_batches))
        if scheduler is None:
            return optimizer
        if isinstance(scheduler, ReduceLROnPlateau):
            every = self.trainer.check_val_every_n_epoch or 1
            timing = {"interval": "epoch", "monitor": "val/loss", "frequency": every}
        else:
            timing = {"interval": "step", "frequency": 1}
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, **timing}}

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Scale gradients whose norm is too large.

        On a CPU, Lightning refuses to do so in mixed precision where an optimizer updates all weights in one call:
        it might divide them by the scale of float16 afterwards. On a CPU there is no such scale.
        """
        if not gradient_clip_val or self.device.type != "cpu":
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
            return
        trained = [weight for weight in self.network.parameters() if weight.grad is not None]
        norm = get_total_norm([weight.grad for weight in trained if weight.grad is not None])
        if norm > gradient_clip_val:  # most are left alone, which would be multiplied by one
            clip_grads_with_norm_(trained, gradient_clip_val, norm)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the schedule that this training's number of steps gives, and within an epoch with its metrics."""
        for name, metric in self._counted():
            for state, value in checkpoint.get(METRICS, {}).get(name, {}).items():
                setattr(metric, state, value)
        self._goes_on_within = METRICS in checkpoint
        checkpoint["lr_schedulers"] = [without_length(state) for state in checkpoint.get("lr_schedulers", ())]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let the checkpoint describe itself."""
        if self.description is not None:
            checkpoint[KEY] = self.description.to_dict()
        progress = self.trainer.fit_loop.epoch_loop.batch_progress
        if progress.current.ready and not progress.is_last_batch:
            checkpoint[METRICS] = {name: metric.metric_state for name, metric in self._counted()}

    def _counted(self) -> Iterable[tuple[str, Metric]]:
        return self.train_metrics.items(keep_base=True)
