import pytest
import torch
from torch import nn

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import OPTIMIZERS
from fetal_seg.errors import InputError
from fetal_seg.training.optimizers import build_optimizer


def built(network, name, **keys):
    return build_optimizer(network.parameters(), Choice(name, {"lr": 0.01} | keys))


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_every_optimizer_goes_downhill(name):
    network = nn.Linear(3, 1)
    optimizer = built(network, name, weight_decay=1e-4)
    inputs, target = torch.randn(64, 3), torch.randn(64, 1)
    losses = []
    for _ in range(50):
        loss = (network(inputs) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_the_factor_multiplies_the_rate():
    assert built(nn.Linear(2, 2), "adam", lr=0.2, lr_factor=0.3).param_groups[0]["lr"] == pytest.approx(0.06)


def test_sgd_without_momentum_is_allowed():
    assert built(nn.Linear(2, 2), "sgd", momentum=0.0).param_groups[0]["nesterov"] is False
    assert built(nn.Linear(2, 2), "sgd").param_groups[0]["nesterov"] is True


def test_norms_and_biases_do_not_decay():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    optimizer = built(network, "adamw", weight_decay=0.1)
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays[id(network[0].weight)] == 0.1
    assert decays[id(network[0].bias)] == decays[id(network[1].weight)] == decays[id(network[1].bias)] == 0


def test_an_unknown_optimizer_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="the optimizer 'lion' is unknown; take one of adam, adamw, rmsprop, sgd"):
        built(nn.Linear(2, 2), "lion")
