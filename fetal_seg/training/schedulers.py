"""Learning-rate schedules, by name.

A schedule is a function ``(optimizer, steps, **keys)`` that is registered here. It is stepped once a step of the
optimizer, of which the whole training has `steps`; only ReduceLROnPlateau is stepped once an epoch, by ``val/loss``.
The rates that the optimizer begins with are the highest that a schedule reaches.
"""

import math
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import SCHEDULERS


def build_scheduler(optimizer: Optimizer, choice: Choice, steps: int) -> LRScheduler | None:
    """The schedule of a choice; None for a constant rate.

    Args:
        steps: of the optimizer, in the whole training.

    Raises:
        InputError: no schedule has that name.
    """
    scheduler: LRScheduler | None = SCHEDULERS[choice.name](optimizer, steps, **choice.keys)
    return scheduler


@SCHEDULERS.register("none")
def constant(optimizer: Optimizer, steps: int) -> None:
    """A constant rate."""


@SCHEDULERS.register("plateau")
def plateau(optimizer: Optimizer, steps: int, *, factor: float = 0.3, patience: int = 5) -> LRScheduler:
    """Multiply the rate by `factor` when the validation loss has not fallen for `patience` epochs."""
    return ReduceLROnPlateau(optimizer, factor=factor, patience=patience)


@SCHEDULERS.register("cosine")
def cosine(optimizer: Optimizer, steps: int) -> LRScheduler:
    """Down to nothing along half a cosine."""
    return LambdaLR(optimizer, partial(cosine_factor, steps=steps))


@SCHEDULERS.register("onecycle")
def one_cycle(optimizer: Optimizer, steps: int, *, warmup: float = 0.2) -> LRScheduler:
    """From 1/25 of the rate up to all of it over a part `warmup` of the steps, then down to nothing."""
    return LambdaLR(optimizer, partial(one_cycle_factor, steps=steps, warmup=warmup))


def one_cycle_factor(step: int, steps: int, warmup: float) -> float:
    """Factor of the rate at a step.

    Source: L. N. Smith and N. Topin, Super-convergence (arXiv:1708.07120), with cosine flanks.
    """
    top = warmup * steps
    if step < top:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * step / top)) / 2
    return cosine_factor(step - math.ceil(top), max(steps - math.ceil(top), 1))


def cosine_factor(step: int, steps: int) -> float:
    """Factor of the rate at a step: from 1 to nothing along half a cosine; nothing beyond."""
    return (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
