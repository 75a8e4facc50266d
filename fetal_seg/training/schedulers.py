"""Learning-rate schedules, by name: torch's own.

A schedule is a function ``(optimizer, steps, **keys)`` that is registered here. It is stepped once a step of the
optimizer, of which the whole training has `steps`; only ReduceLROnPlateau is stepped once an epoch, by ``val/loss``.
The rates that the optimizer begins with are the highest that a schedule reaches.
"""

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import SCHEDULERS

OF_LENGTH = ("total_steps", "_schedule_phases", "T_max")  # what torch's schedules keep of the number of steps


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
    return CosineAnnealingLR(optimizer, steps)


@SCHEDULERS.register("onecycle")
def one_cycle(optimizer: Optimizer, steps: int, *, warmup: float = 0.2) -> LRScheduler:
    """From 1/25 of the rate up to all of it over a part `warmup` of the steps, then down to nothing.

    Source: L. N. Smith and N. Topin, Super-convergence (arXiv:1708.07120), with cosine flanks; momentum stays.
    """
    points = steps + 1  # the last step is still taken with a rate; nothing is left after it
    return OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=points,
        pct_start=warmup if warmup * points > 1 else 0.0,  # torch divides by the length of a rise of one step, 0
        cycle_momentum=False,
    )


def without_length(state: dict[str, Any]) -> dict[str, Any]:
    """The state of a schedule without what the number of steps made of it.

    So a training that goes on with more epochs gets the schedule of all of them, from where it stands.
    """
    return {key: value for key, value in state.items() if key not in OF_LENGTH}
