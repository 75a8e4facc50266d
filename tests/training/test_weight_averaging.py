"""The moving average against one that is computed from the weights after each step."""

import copy

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from fetal_seg.training.weight_averaging import MovingAverage, moving_average


@pytest.mark.parametrize(("count", "decay"), [(0, 0.1), (8, 0.5), (10**6, 0.99)])
def test_a_moving_average_forgets_the_untrained_start(count, decay):
    average, current = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0])
    expected = decay * average + (1 - decay) * current
    moving_average([average], [current], count, decay=0.99)
    torch.testing.assert_close(average, expected)


def test_counters_are_not_averaged():
    average = torch.tensor([3])
    moving_average([average], [torch.tensor([7])], 100, decay=0.99)
    assert average.tolist() == [7]


class Small(LightningModule):
    """A layer with a batch normalisation, whose statistics are averaged too, and whose counter is not."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    def training_step(self, batch, _):
        return self.network(batch[0]).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class Recorder(Callback):
    """The network's tensors after each step of the optimizer, with the count of steps."""

    def __init__(self):
        self.states = {}

    def on_train_batch_end(self, trainer, pl_module, *_):
        if trainer.global_step and trainer.global_step not in self.states:
            self.states[trainer.global_step] = copy.deepcopy(pl_module.network.state_dict())


def fit(epochs, folder, ckpt_path=None, **keys):
    """A trained module, the states on its way, and a checkpoint of the last epoch."""
    torch.manual_seed(0)
    module, recorder = Small(), Recorder()
    data = DataLoader(TensorDataset(torch.randn(24, 3, generator=torch.Generator().manual_seed(1))), 4)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    last = ModelCheckpoint(folder, f"after_{epochs}", save_on_train_epoch_end=True)
    callbacks = [MovingAverage(0.5), recorder, last]
    trainer = Trainer(max_epochs=epochs, callbacks=callbacks, default_root_dir=folder, **quiet, **keys)
    trainer.fit(module, data, ckpt_path=ckpt_path, weights_only=True)
    return module.network.state_dict(), list(recorder.states.values()), last.last_model_path or last.best_model_path


@pytest.mark.parametrize("accumulated", [1, 2])
def test_it_is_of_the_weights_after_each_step_of_the_optimizer(tmp_path, accumulated):
    averaged, states, _ = fit(2, tmp_path, accumulate_grad_batches=accumulated)
    assert len(states) == 12 // accumulated
    expected = states[0]
    for count, state in enumerate(states[1:], start=1):
        decay = min(0.5, (1 + count) / (10 + count))
        for name, value in state.items():
            is_counter = not value.is_floating_point()
            expected[name] = value if is_counter else decay * expected[name] + (1 - decay) * value
    for name, value in averaged.items():
        torch.testing.assert_close(value, expected[name], msg=name)


def test_a_resumed_training_goes_on_with_its_average(tmp_path):
    whole, _, _ = fit(3, tmp_path)
    _, _, half = fit(1, tmp_path)
    resumed, _, _ = fit(3, tmp_path, ckpt_path=half)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
