"""What is said of two ways to run a network, of numbers that are known."""

import math

import pytest

from fetal_seg.evaluation.parity import Measured, Pair, Parity, write_parity
from fetal_seg.measurement.result import Flag
from tests.conftest import table


def measured(px, mm=None, dice=None, flag=Flag.OK, milliseconds=1.0):
    return Measured(px, mm, dice, flag, milliseconds)


PAIRS = (
    Pair("a.png", measured(100.0, 10.0, 0.9, milliseconds=9.0), measured(101.0, 10.1, 0.91, milliseconds=90.0)),
    Pair("b.png", measured(200.0, None, None), measured(200.0, None, None, Flag.CHECK)),
    Pair("c.png", measured(None, flag=Flag.NO_HEAD), measured(None, flag=Flag.NO_HEAD)),
)


def test_differences_are_the_largest_and_the_mean():
    parity = Parity.of(PAIRS)
    assert parity.percent == pytest.approx((1.0, 1 / 3))
    assert parity.mm == pytest.approx((0.1, 0.1))
    assert parity.dice == pytest.approx((0.01, 0.01))
    assert parity.flags == 1
    assert parity.worst.file == "a.png"
    assert parity.milliseconds == (1.0, 1.0)  # the first images are not timed


def test_a_head_that_one_way_alone_finds_is_infinitely_far():
    lost = Pair("d.png", measured(100.0), measured(None, flag=Flag.NO_HEAD))
    assert math.isinf(Parity.of((*PAIRS, lost)).percent[0])


def test_what_is_not_known_is_not_compared():
    parity = Parity.of(PAIRS[1:])
    assert (parity.mm, parity.dice) == (None, None)


def test_the_table_has_a_row_an_image(tmp_path):
    write_parity(tmp_path / "x.csv", Parity.of(PAIRS))
    rows = table(tmp_path / "x.csv")
    assert [row["file"] for row in rows] == ["a.png", "b.png", "c.png"]
    assert (rows[0]["hc_mm_reference"], rows[0]["hc_mm"], rows[1]["flag"]) == ("10", "10.1", "check")
