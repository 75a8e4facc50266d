"""The task with plain Lightning, as in a notebook."""

import pytest
import torch
from lightning.pytorch import Trainer
from torch.nn.utils import get_total_norm

from fetal_seg.config.data import PhantomConfig
from fetal_seg.config.model import EncoderDecoderConfig
from fetal_seg.config.training import PlainScheduleConfig, SgdConfig
from fetal_seg.inference.predictor import Predictor
from fetal_seg.training.datamodule import HeadDataModule
from fetal_seg.training.task import SegmentationTask


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, cache_dir):
    """A trainer that fitted a small network to phantoms, its task and its data."""
    folder = tmp_path_factory.mktemp("notebook")
    data = HeadDataModule(PhantomConfig(images=24, test_images=3, height=64, width=96, cache_dir=str(cache_dir)))
    task = SegmentationTask(EncoderDecoderConfig(depth=3, width=8), optim=SgdConfig(lr=0.05))
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    trainer = Trainer(max_epochs=1, accelerator="cpu", default_root_dir=folder, **quiet)
    trainer.fit(task, datamodule=data)
    return trainer, task, data


def test_fit_logs_loss_dice_and_iou_of_both_parts(fitted):
    trainer, _, _ = fitted
    names = {f"{part}/{name}" for part in ("train", "val") for name in ("loss", "dice", "iou")}
    assert names <= set(trainer.callback_metrics)
    assert all(torch.isfinite(trainer.callback_metrics[name]) for name in names)


def test_test_measures_the_validation_part(fitted):
    trainer, task, data = fitted
    (found,) = trainer.test(task, datamodule=data, verbose=False)
    (expected,) = trainer.validate(task, datamodule=data, verbose=False)
    assert set(found) == {"test/loss", "test/dice", "test/iou"}
    for name in ("loss", "dice", "iou"):
        assert found[f"test/{name}"] == pytest.approx(expected[f"val/{name}"], rel=1e-5)


def test_predict_gives_logits_at_the_networks_size(fitted):
    trainer, task, data = fitted
    logits = torch.cat(trainer.predict(task, datamodule=data))
    assert logits.shape == (len(data.val_records), 1, 64, 96)


def test_its_checkpoint_describes_itself_and_measures(fitted, tmp_path):
    trainer, _, data = fitted
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    predictor = Predictor.load(tmp_path / "x.ckpt")
    image = data.val_records[0].read_image()
    assert predictor.measure(image).mask.shape == image.shape


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_gradients_are_clipped_in_every_precision_that_any_cpu_may_choose(tmp_path, cache_dir, precision):
    data = HeadDataModule(PhantomConfig(images=24, test_images=3, height=64, width=96, cache_dir=str(cache_dir)))
    model = EncoderDecoderConfig(depth=2, width=4)
    task = SegmentationTask(
        model, optim=SgdConfig(lr=1.0, momentum=0.0, weight_decay=0.0), scheduler=PlainScheduleConfig(name="none")
    )
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    before = [weight.detach().clone() for weight in task.network.parameters()]
    limits = {"max_steps": 3, "limit_val_batches": 0, "gradient_clip_val": 1e-3, "precision": precision}
    Trainer(accelerator="cpu", default_root_dir=tmp_path, **limits, **quiet).fit(task, datamodule=data)
    moved = [after.detach() - weight for after, weight in zip(task.network.parameters(), before, strict=True)]
    assert 0 < get_total_norm(moved) <= 3 * 1e-3 * 1.001
