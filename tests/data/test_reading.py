import threading

import pytest

from fetal_seg.data.reading import read_ahead


def test_items_come_in_order_in_batches_with_what_was_read():
    assert list(read_ahead(list("abcde"), str.upper, size=2)) == [
        (["a", "b"], ["A", "B"]),
        (["c", "d"], ["C", "D"]),
        (["e"], ["E"]),
    ]
    assert list(read_ahead([], str.upper)) == []


def test_the_next_batch_is_read_while_one_is_worked_on_and_no_more():
    started = {number: threading.Event() for number in range(6)}

    def read(number):
        started[number].set()
        return number

    batches = read_ahead(range(6), read, size=2)
    next(batches)
    assert all(started[number].wait(10) for number in (2, 3))
    assert not started[4].is_set()
    assert not started[5].is_set()


def test_a_file_that_cannot_be_read_stops_at_its_batch():
    batches = read_ahead(["1", "2", "x"], int, size=2)
    assert next(batches) == (["1", "2"], [1, 2])
    with pytest.raises(ValueError, match="invalid literal"):
        next(batches)
