import math

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.training.schedulers import build_scheduler, cosine_factor, one_cycle_factor


@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.5])
def test_one_cycle_rises_to_one_and_falls_to_nothing(warmup):
    factors = [one_cycle_factor(step, 100, warmup) for step in range(101)]
    top = factors.index(max(factors))
    assert top == round(100 * warmup)
    assert max(factors) == pytest.approx(1)
    assert factors[-1] == pytest.approx(0, abs=1e-6)
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_cosine_against_its_formula():
    assert [cosine_factor(step, 10) for step in range(12)] == pytest.approx(
        [0.5 + 0.5 * math.cos(math.pi * min(step, 10) / 10) for step in range(12)]
    )


def rates(name, steps=10, **keys):
    optimizer = torch.optim.Adam(nn.Linear(2, 2).parameters(), 0.1)
    scheduler = build_scheduler(optimizer, Choice(name, keys), steps)
    given = []
    for _ in range(steps):
        given.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*given, optimizer.param_groups[0]["lr"]]


def test_schedules_move_the_rate():
    assert max(rates("onecycle", warmup=0.5)) == pytest.approx(0.1)
    for name in ("onecycle", "cosine"):
        assert rates(name)[-1] == pytest.approx(0, abs=1e-9)


def test_a_constant_rate_needs_no_schedule_and_a_plateau_follows_a_metric():
    optimizer = torch.optim.Adam(nn.Linear(2, 2).parameters(), 0.1)
    assert build_scheduler(optimizer, Choice("none"), 10) is None
    plateau = build_scheduler(optimizer, Choice("plateau", {"factor": 0.1, "patience": 0}), 10)
    assert isinstance(plateau, ReduceLROnPlateau)
    for loss in (1.0, 2.0):
        plateau.step(loss)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_an_unknown_schedule_is_refused_and_does_not_train_another_one():
    optimizer = torch.optim.Adam(nn.Linear(2, 2).parameters(), 0.1)
    with pytest.raises(InputError, match="'linear' is unknown; take one of cosine, none, onecycle, plateau"):
        build_scheduler(optimizer, Choice("linear"), 10)
