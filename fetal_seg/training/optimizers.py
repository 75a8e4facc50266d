"""Optimizers and learning-rate schedules, by name."""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

OPTIMIZERS: dict[str, Any] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, nesterov=True),
    "rmsprop": torch.optim.RMSprop,
}


def build_optimizer(parameters: Iterable[Parameter], description: dict[str, Any]) -> Optimizer:
    """An optimizer from plain data: its ``name`` and its keys; the rate is ``lr`` times ``lr_factor``.

    Weight decay is for the weights of convolutions alone, not for norms and biases.
    """
    keys = dict(description)
    name, decay = keys.pop("name"), keys.pop("weight_decay", 0.0)
    keys["lr"] *= keys.pop("lr_factor", 1.0)
    if name == "sgd" and not keys.get("momentum"):
        return torch.optim.SGD(_groups(parameters, decay), **keys)  # Nesterov needs momentum
    return OPTIMIZERS[name](_groups(parameters, decay), **keys)


def _groups(parameters: Iterable[Parameter], decay: float) -> list[dict[str, Any]]:
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def build_scheduler(optimizer: Optimizer, description: dict[str, Any], steps: int) -> dict[str, Any] | None:
    """A schedule as Lightning takes it, or None for a constant rate.

    Args:
        optimizer: whose rates are the highest that the schedule reaches.
        description: ``name`` and keys.
        steps: of the optimizer, in the whole training.
    """
    keys = dict(description)
    name = keys.pop("name")
    if name == "none":
        return None
    if name == "plateau":
        return {"scheduler": ReduceLROnPlateau(optimizer, **keys), "monitor": "val/loss", "interval": "epoch"}
    factor = partial(one_cycle if name == "onecycle" else cosine, steps=steps, **keys)
    return {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}


def one_cycle(step: int, steps: int, warmup: float) -> float:
    """Factor of the rate: from 1/25 up to 1 over a part `warmup` of the steps, then down to nothing.

    Source: L. N. Smith and N. Topin, Super-convergence (arXiv:1708.07120), with cosine flanks.
    """
    top = warmup * steps
    if step < top:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * step / top)) / 2
    return cosine(step - math.ceil(top), max(steps - math.ceil(top), 1))


def cosine(step: int, steps: int) -> float:
    """Factor of the rate: from 1 to nothing along half a cosine; nothing beyond."""
    return (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
