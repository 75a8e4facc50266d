"""What the trials of a search with several objectives came to, and which of them no other one beats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TradeOff:
    """A trial that came to its end.

    Attributes:
        job: the name of its folder.
        settings: what was proposed for it, as overrides.
        dice: its highest validation Dice, 0 to 1.
        milliseconds: the time of its network for an image.
    """

    job: str
    settings: str
    dice: float
    milliseconds: float


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the (cost, value) pairs that no other one beats: none is as cheap and as good, and better in one.

    Ordered by cost; of equal pairs the first one stands for all.

    >>> pareto_front([(2.0, 0.9), (1.0, 0.8), (3.0, 0.85)])
    [1, 0]
    """
    front: list[int] = []
    best = -math.inf
    for index in sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1], index)):
        if points[index][1] > best:
            front.append(index)
            best = points[index][1]
    return front
