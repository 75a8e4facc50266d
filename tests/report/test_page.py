import math

import pytest

from fetal_seg.report.page import UNKNOWN, Cell, number_cell


@pytest.mark.parametrize(
    ("cell", "text", "sort_value"),
    [
        (number_cell(-1.25, "{:+.1f}"), "−1.2", "-1.25"),
        (number_cell(2000, "{:,.0f}"), "2,000", "2000.0"),
        (number_cell(None, "{:.1f}"), "", ""),
        (Cell("out of range", math.nan), "out of range", ""),
    ],
)
def test_a_number_is_shown_in_short_and_sorted_in_full(cell, text, sort_value):
    assert (cell.text, cell.sort_value, cell.number is None) == (text, sort_value, False)


def test_a_number_that_is_not_known_is_no_text():
    assert math.isnan(UNKNOWN.number)
    assert Cell("unet").number is None
