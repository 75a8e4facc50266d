import math

import pytest
import torch
from hypothesis import given as given_that
from hypothesis import settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.training.schedulers import build_scheduler, without_length


@settings(max_examples=40)
@given_that(st.integers(1, 200), st.floats(0.0, 0.9))
def test_one_cycle_rises_to_its_top_and_falls_to_nothing(steps, warmup):
    given = rates("onecycle", steps, warmup=warmup)
    top = given.index(max(given))
    assert abs(top - warmup * steps) <= 1.5
    assert all(0 < rate <= 0.1 + 1e-9 for rate in given[:-1])
    assert given[-1] == pytest.approx(0, abs=1e-6)
    assert given[: top + 1] == sorted(given[: top + 1])
    assert given[top:] == sorted(given[top:], reverse=True)


def test_a_single_step_has_a_rate():
    assert rates("onecycle", 1)[0] > 0.01


def test_cosine_against_its_formula():
    expected = [0.05 + 0.05 * math.cos(math.pi * step / 10) for step in range(11)]
    assert rates("cosine", 10) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["onecycle", "cosine"])
def test_a_longer_training_goes_on_with_the_schedule_of_all_its_steps(name):
    short, _ = begin(name, 10)
    for _ in range(10):
        short.optimizer.step()
        short.step()
    longer, given = begin(name, 20)
    longer.load_state_dict(without_length(short.state_dict()))
    for _ in range(10):
        longer.optimizer.step()
        longer.step()
        given.append(longer.optimizer.param_groups[0]["lr"])
    assert given[-1] == pytest.approx(0, abs=1e-6)
    if name == "onecycle":  # the other one goes on from the rate that it had, which was nothing
        assert max(given) > 0.05


def begin(name, steps, **keys):
    """A schedule of an optimizer with a rate of 0.1, and no rates so far."""
    optimizer = torch.optim.Adam(nn.Linear(2, 2).parameters(), 0.1)
    return build_scheduler(optimizer, Choice(name, keys), steps), []


def rates(name, steps=10, **keys):
    """The rate of each step, and the one after the last."""
    scheduler, given = begin(name, steps, **keys)
    optimizer = scheduler.optimizer
    for _ in range(steps):
        given.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*given, optimizer.param_groups[0]["lr"]]


def test_schedules_move_the_rate():
    assert max(rates("onecycle", 200, warmup=0.5)) == pytest.approx(0.1, rel=1e-3)
    for name in ("onecycle", "cosine"):
        assert rates(name)[-1] == pytest.approx(0, abs=1e-6)


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
