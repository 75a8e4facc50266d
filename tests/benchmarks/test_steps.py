import importlib
import pkgutil

import torch
from torch import nn

import benchmarks
from benchmarks.machine import machine_line
from benchmarks.steps import bare_step, by_turns


def test_a_bare_step_trains():
    network = nn.Conv2d(1, 1, 3, padding=1)
    before = network.weight.detach().clone()
    bare_step(network, batch=1)()
    assert not torch.equal(before, network.weight)


def test_turns_are_taken_one_after_the_other():
    calls = []
    found = by_turns({name: lambda name=name: calls.append(name) for name in "ab"}, turns=2, steps_a_turn=3)
    assert "".join(calls) == "ab" + 2 * "aaabbb"
    assert set(found) == {"a", "b"}
    assert all(seconds >= 0 for seconds in found.values())


def test_the_machine_is_named():
    assert f"torch {torch.__version__}" in machine_line()
    assert "threads" in machine_line()


def test_all_benchmarks_know_the_package_as_it_is():
    for module in pkgutil.iter_modules(benchmarks.__path__):
        assert importlib.import_module(f"benchmarks.{module.name}")
