"""Networks from their descriptions.

A network is registered in a module of ``models/networks`` and takes its keys as keyword arguments.
It maps images (n, 1, h, w) to logits of the head (n, 1, h, w), for any h and w. During training
it may return a list of logits instead, the full size first, each next one at half the size.
One that shows its encoder (`ShowsEncoder`) can have a head gate.
"""

from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import NETWORKS
from fetal_seg.errors import InputError


@runtime_checkable
class ShowsEncoder(Protocol):
    """A network in two steps: ``forward(x)`` is ``decode(encode(x), *x.shape[-2:])``."""

    def encode(self, x: Tensor) -> list[Tensor]:
        """The encoder's levels (n, channels, h, w) of images (n, 1, h, w), the finest first."""

    def decode(self, levels: list[Tensor], height: int, width: int) -> Tensor:
        """Logits (n, 1, height, width) of these levels, in evaluation."""


def build_network(choice: Choice) -> nn.Module:
    """Build a network.

    Raises:
        InputError: there is no such network, or it does not take such keys.
    """
    kind = NETWORKS[choice.name]
    try:
        network: nn.Module = kind(**choice.keys)
    except TypeError as error:
        raise InputError(f"the network {choice.name} cannot be built from {dict(choice.keys)}: {error}") from error
    return network


def count_parameters(network: nn.Module) -> int:
    """Number of trained numbers in a network."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
