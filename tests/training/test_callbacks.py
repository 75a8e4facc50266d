"""What a run by its command leaves of each epoch."""

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from fetal_seg.training.callbacks import EpochTable, PruningCallback
from tests.conftest import table


@pytest.fixture(scope="module")
def events(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(trained / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    return accumulator.Reload()


def test_metrics_table(trained):
    rows = table(trained / "metrics.csv")
    columns = ["epoch", "train/loss", "val/loss", "train/dice", "val/dice", "lr", "seconds", "train/iou", "val/iou"]
    assert list(rows[0]) == columns
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(np.isfinite([float(value) for value in row.values()]).all() for row in rows)


def test_tensorboard_has_the_same_numbers_pictures_and_hyperparameters(trained, events):
    rows = table(trained / "metrics.csv")
    for name in ("train/loss", "val/loss", "train/dice", "val/dice", "val/iou"):
        assert [event.step for event in events.Scalars(name)] == [int(row["epoch"]) for row in rows]
        assert [event.value for event in events.Scalars(name)] == pytest.approx([float(row[name]) for row in rows])
    pictures = events.Tags()["images"]
    assert len(pictures) == 4
    assert [event.step for event in events.Images(pictures[0])] == [0, 1]
    plugins = events.summary_metadata.values()
    assert {"custom_scalars", "hparams"} <= {metadata.plugin_data.plugin_name for metadata in plugins}
    assert {"final/dice", "final/val_loss"} <= set(events.Tags()["scalars"])


class Constant(LightningModule):
    """A training that stays as it is."""

    def __init__(self):
        super().__init__()
        self.network = torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        self.log("val/dice", 0.5, on_epoch=True)
        return self.network(batch).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


@pytest.mark.parametrize("last", [1, 2], ids=["pruned", "at its end"])
def test_a_search_hears_of_all_epochs_where_none_is_left_to_train(last, tmp_path):
    """Killed between its last checkpoint and its end, a trial is given up, or done, all the same."""

    def train(ckpt_path=None):
        heard = []

        def report(epoch, dice):
            heard.append((epoch, dice))
            return epoch == last

        pruning = PruningCallback(report)
        callbacks = [EpochTable(None), pruning, ModelCheckpoint(tmp_path, "last", save_on_train_epoch_end=True)]
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
        trainer = Trainer(max_epochs=3, callbacks=callbacks, default_root_dir=tmp_path, **quiet)
        trainer.fit(Constant(), DataLoader(torch.ones(4, 1)), ckpt_path=ckpt_path, weights_only=True)
        return heard, pruning.pruned, trainer.global_step

    whole = train()
    assert whole == ([(epoch, 0.5) for epoch in range(last + 1)], True, 4 * (last + 1))
    assert train(tmp_path / "last.ckpt") == whole
