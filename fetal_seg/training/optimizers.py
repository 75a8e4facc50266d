"""Optimizers, by name.

An optimizer is a function ``(parameters, lr, **keys)`` that is registered here; `parameters` are groups as torch.optim
takes them, and `keys` those of its YAML file in ``conf/optim`` but for the three that `build_optimizer` sees to.
Each updates all parameters in one call: on a CPU by torch's fused kernels, which take a fifth of the time. On a GPU
they would unscale float16's gradients themselves, after they were clipped.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import OPTIMIZERS

Groups = list[dict[str, Any]]


def build_optimizer(parameters: Iterable[Parameter], choice: Choice) -> Optimizer:
    """The optimizer of a choice: its rate is ``lr`` times ``lr_factor``.

    Weight decay (``weight_decay``) is for the weights of convolutions alone, not for norms and biases.

    Raises:
        InputError: no optimizer has that name.
    """
    keys = dict(choice.keys)
    decay, rate = keys.pop("weight_decay", 0.0), keys.pop("lr") * keys.pop("lr_factor", 1.0)
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    groups: Groups = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer: Optimizer = OPTIMIZERS[choice.name](groups, rate, **keys)
    return optimizer


@OPTIMIZERS.register("adam")
def adam(parameters: Groups, lr: float) -> Optimizer:
    """D. P. Kingma and J. Ba, Adam (arXiv:1412.6980)."""
    return torch.optim.Adam(parameters, lr, fused=_on_cpu(parameters))


@OPTIMIZERS.register("adamw")
def adamw(parameters: Groups, lr: float) -> Optimizer:
    """I. Loshchilov and F. Hutter, Decoupled weight decay regularization (arXiv:1711.05101)."""
    return torch.optim.AdamW(parameters, lr, fused=_on_cpu(parameters))


@OPTIMIZERS.register("sgd")
def sgd(parameters: Groups, lr: float, *, momentum: float = 0.9) -> Optimizer:
    """Stochastic gradient descent with Nesterov's momentum, where it has momentum at all."""
    return torch.optim.SGD(parameters, lr, momentum, nesterov=momentum > 0, fused=_on_cpu(parameters))


@OPTIMIZERS.register("rmsprop")
def rmsprop(parameters: Groups, lr: float, *, momentum: float = 0.9) -> Optimizer:
    """RMSprop with momentum: T. Tieleman and G. Hinton, Lecture 6.5 of Neural networks for machine learning (2012)."""
    return torch.optim.RMSprop(parameters, lr, momentum=momentum, foreach=True)


def _on_cpu(groups: Groups) -> bool:
    return all(parameter.device.type == "cpu" for group in groups for parameter in group["params"])
