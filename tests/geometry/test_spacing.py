import pytest

from fetal_seg.geometry.spacing import Region, Spacing

REGION = Region(2, 3, 11, 7, Spacing(0.1, 0.1, "given"))


def test_all_four_sides_are_inclusive():
    assert REGION.area == 10 * 5


@pytest.mark.parametrize(
    ("point", "is_held"),
    [((2, 3), True), ((11.4, 7.4), True), ((1.5, 2.5), True), ((1.4, 3), False), ((11.5, 5), False), ((5, 7.5), False)],
)
def test_a_point_lies_in_the_whole_pixels_of_a_region(point, is_held):
    assert REGION.holds(*point) == is_held
