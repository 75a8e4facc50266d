"""What no other beats in both of two measures."""

import numpy as np
import pytest

from fetal_seg.evaluation.trade_offs import pareto_front


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([(1, 90), (2, 95), (3, 94), (4, 96)], [0, 1, 3]),
        ([(4, 96), (2, 95), (2, 97)], [2]),  # as cheap and better, and cheaper and better
        ([(1, 90), (1, 90)], [0]),
        ([(5, 1)], [0]),
        ([], []),
    ],
)
def test_pareto_front(points, front):
    assert pareto_front(points) == front


def test_pareto_front_agrees_with_its_definition():
    points = [tuple(pair) for pair in np.random.default_rng(0).integers(0, 12, (60, 2)).astype(float)]
    beaten = [
        any(a[0] <= b[0] and a[1] >= b[1] and a != b for a in points) or b in points[:place]
        for place, b in enumerate(points)
    ]
    assert sorted(pareto_front(points)) == [place for place, other in enumerate(beaten) if not other]
