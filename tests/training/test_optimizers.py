import math

import pytest
import torch
from torch import nn

from fetal_seg.training.optimizers import OPTIMIZERS, build_optimizer, build_scheduler, cosine, one_cycle

KEYS = {"adam": {"lr": 0.01}, "adamw": {"lr": 0.01}, "sgd": {"lr": 0.01, "momentum": 0.9}, "rmsprop": {"lr": 0.01}}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_downhill(name):
    network = nn.Linear(3, 1)
    optimizer = build_optimizer(network.parameters(), {"name": name, "weight_decay": 1e-4, **KEYS[name]})
    inputs, target = torch.randn(64, 3), torch.randn(64, 1)
    losses = []
    for _ in range(50):
        loss = (network(inputs) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_sgd_without_momentum_is_allowed():
    assert build_optimizer(nn.Linear(2, 2).parameters(), {"name": "sgd", "lr": 0.1, "momentum": 0.0})


def test_norms_and_biases_do_not_decay():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    optimizer = build_optimizer(network.parameters(), {"name": "adamw", "lr": 0.1, "weight_decay": 0.1})
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays[id(network[0].weight)] == 0.1
    assert decays[id(network[0].bias)] == decays[id(network[1].weight)] == decays[id(network[1].bias)] == 0


@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.5])
def test_one_cycle_rises_to_one_and_falls_to_nothing(warmup):
    factors = [one_cycle(step, 100, warmup) for step in range(101)]
    top = factors.index(max(factors))
    assert top == round(100 * warmup)
    assert max(factors) == pytest.approx(1)
    assert factors[-1] == pytest.approx(0, abs=1e-6)
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_cosine_against_its_formula():
    assert [cosine(step, 10) for step in range(12)] == pytest.approx(
        [0.5 + 0.5 * math.cos(math.pi * min(step, 10) / 10) for step in range(12)]
    )


def test_a_schedule_moves_the_rate_and_none_does_not():
    optimizer = build_optimizer(nn.Linear(2, 2).parameters(), {"name": "adam", "lr": 0.1})
    assert build_scheduler(optimizer, {"name": "none"}, 10) is None
    schedule = build_scheduler(optimizer, {"name": "onecycle", "warmup": 0.5}, 10)["scheduler"]
    rates = []
    for _ in range(10):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert max(rates) == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    plateau = build_scheduler(optimizer, {"name": "plateau", "factor": 0.1, "patience": 0}, 10)
    assert plateau["monitor"] == "val/loss"
