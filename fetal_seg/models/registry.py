"""Networks, by name.

A network is a module of ``models/networks`` whose class ``Network`` takes its keys as keyword arguments.
It maps images (n, 1, h, w) to logits of the head (n, 1, h, w), for any h and w. During training
it may return a list of logits instead, the full size first, each next one at half the size.
"""

import importlib
import pkgutil
from typing import Any

from torch import nn

from fetal_seg.errors import InputError
from fetal_seg.models import networks


def network_names() -> list[str]:
    """Names of all networks: the modules of ``models/networks``."""
    return sorted(module.name for module in pkgutil.iter_modules(networks.__path__))


def build_network(description: dict[str, Any]) -> nn.Module:
    """Build a network from plain data: its ``name`` and its keys.

    Raises:
        InputError: there is no such network, or it does not take such keys.
    """
    keys = dict(description)
    name = keys.pop("name", None)
    if name not in network_names():
        raise InputError(f"there is no network {name!r}; take one of {', '.join(network_names())}")
    network = importlib.import_module(f"{networks.__name__}.{name}").Network
    try:
        return network(**keys)
    except TypeError as error:
        raise InputError(f"the network {name} cannot be built from {keys}: {error}") from error


def count_parameters(network: nn.Module) -> int:
    """Number of trained numbers in a network."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
