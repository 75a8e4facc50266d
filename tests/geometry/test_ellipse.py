import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg, special

from fetal_seg.geometry.ellipse import Ellipse

HEIGHT, WIDTH = 60, 80


def _number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


ellipses = st.builds(
    Ellipse,
    _number(-200, 1000),
    _number(-200, 1000),
    _number(2, 400),
    _number(2, 400),
    _number(-10, 10),
)


def _random_ellipse(rng: np.random.Generator) -> Ellipse:
    return Ellipse(
        rng.uniform(-5, WIDTH + 5),
        rng.uniform(-5, HEIGHT + 5),
        rng.uniform(1, 40),
        rng.uniform(1, 40),
        rng.uniform(-4, 4),
    )


def _algebraic(ellipse: Ellipse, x, y):
    """Below 1 inside: written out from the definition, apart from the code under test."""
    cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
    along = (x - ellipse.center_x) * cos + (y - ellipse.center_y) * sin
    across = -(x - ellipse.center_x) * sin + (y - ellipse.center_y) * cos
    return (along / ellipse.semi_axis_a) ** 2 + (across / ellipse.semi_axis_b) ** 2


def _assert_same(one: Ellipse, other: Ellipse, tolerance: float) -> None:
    """Same curve; of a near-circle the angle is anybody's guess, so it is compared by what it does."""
    assert one.center_x == pytest.approx(other.center_x, abs=tolerance)
    assert one.center_y == pytest.approx(other.center_y, abs=tolerance)
    assert one.semi_axis_a == pytest.approx(other.semi_axis_a, abs=tolerance)
    assert one.semi_axis_b == pytest.approx(other.semi_axis_b, abs=tolerance)
    turn = math.sin(one.angle_rad - other.angle_rad) * (one.semi_axis_a - one.semi_axis_b)
    assert turn == pytest.approx(0, abs=3 * tolerance)


@given(ellipses)
def test_normal_form(ellipse):
    assert ellipse.semi_axis_a >= ellipse.semi_axis_b > 0
    assert -math.pi / 2 < ellipse.angle_rad <= math.pi / 2
    assert Ellipse(*(getattr(ellipse, name) for name in ellipse.__dataclass_fields__)) == ellipse


def test_swapped_axes_and_half_turns_are_the_same_ellipse():
    _assert_same(Ellipse(1, 2, 3, 5, 0.2), Ellipse(1, 2, 5, 3, 0.2 + math.pi / 2), 1e-12)
    _assert_same(Ellipse(1, 2, 5, 3, 0.2), Ellipse(1, 2, 5, 3, 0.2 - 7 * math.pi), 1e-12)


@pytest.mark.parametrize(
    ("given_angle", "angle"), [(math.pi / 2, math.pi / 2), (-math.pi / 2, math.pi / 2), (math.pi, 0.0), (0.0, 0.0)]
)
def test_the_ends_of_the_range_of_angles(given_angle, angle):
    assert Ellipse(0, 0, 2, 1, given_angle).angle_rad == pytest.approx(angle, abs=1e-12)


def test_a_positive_angle_turns_the_long_axis_from_x_to_y_which_is_down():
    mask = Ellipse(50, 50, 40, 5, math.pi / 4).rasterise(101, 101)
    assert mask[70, 70] == 1  # row 70, column 70: right and down
    assert mask[30, 70] == 0  # right and up


@pytest.mark.parametrize(
    "values",
    [(0, 0, 0, 1, 0), (0, 0, 1, -1, 0), (math.nan, 0, 1, 1, 0), (0, math.inf, 1, 1, 0), (0, 0, 1, 1, math.nan)],
)
def test_what_is_no_ellipse_is_refused(values):
    with pytest.raises(ValueError, match="no ellipse"):
        Ellipse(*values)


@given(ellipses)
def test_circumference_against_the_elliptic_integral(ellipse):
    m = 1 - (ellipse.semi_axis_b / ellipse.semi_axis_a) ** 2
    exact = 4 * ellipse.semi_axis_a * special.ellipe(m)
    head = ellipse.semi_axis_b > 0.5 * ellipse.semi_axis_a
    assert ellipse.circumference == pytest.approx(exact, rel=1e-8 if head else 5e-4)


@given(ellipses)
def test_area_and_extent_against_the_points(ellipse):
    points = ellipse.points(4096)
    x, y = (points - (ellipse.center_x, ellipse.center_y)).T
    np.testing.assert_allclose(_algebraic(ellipse, *points.T), 1, atol=1e-6)
    assert abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2 == pytest.approx(ellipse.area, rel=1e-5)
    assert (x.max(), y.max()) == pytest.approx(ellipse.half_extent, rel=1e-5)


@given(ellipses.filter(lambda one: one.semi_axis_a < 50 * one.semi_axis_b), st.integers(6, 200))
def test_fit_of_exact_points_gives_the_ellipse_back(ellipse, count):
    _assert_same(Ellipse.fit(ellipse.points(count)), ellipse, 1e-5 * ellipse.semi_axis_a)


def _drawn_outline(seed: int) -> np.ndarray:
    """The pixels (n, 2) of an outline as sonographers' marks are drawn."""
    rng = np.random.default_rng(seed)
    a, canvas = rng.uniform(60, 200), np.zeros((540, 800), np.uint8)
    axes = (int(a), int(a * rng.uniform(0.65, 0.95)))
    cv2.ellipse(canvas, (int(rng.uniform(250, 550)), 270), axes, rng.uniform(0, 180), 0, 360, 255, 3)
    return np.argwhere(canvas)[:, ::-1]


@pytest.mark.parametrize("seed", range(10))
def test_fit_of_a_drawn_outline_agrees_with_opencv(seed):
    points = _drawn_outline(seed)
    (x, y), (width, height), degrees = cv2.fitEllipse(points.astype(np.float32))
    reference = Ellipse(x, y, width / 2, height / 2, math.radians(degrees))
    _assert_same(Ellipse.fit(points), reference, 0.2)  # OpenCV minimises another algebraic distance
    assert Ellipse.fit(points).circumference == pytest.approx(reference.circumference, rel=2e-3)


@pytest.mark.parametrize("seed", range(10))
def test_fit_solves_the_generalised_eigenproblem_of_fitzgibbon(seed):
    """A. Fitzgibbon et al., Direct least square fitting of ellipses, PAMI 21 (1999) 476: the unreduced problem."""
    points = _drawn_outline(seed)
    x, y = ((points - points.mean(axis=0)) / 100).T
    design = np.stack([x * x, x * y, y * y, x, y, np.ones_like(x)], axis=1)
    constraint = np.zeros((6, 6))
    constraint[0, 2] = constraint[2, 0] = 2
    constraint[1, 1] = -1
    values, vectors = linalg.eig(constraint, design.T @ design)
    conic = vectors[:, values.real.argmax()].real
    on_it = (Ellipse.fit(points).points(100) - points.mean(axis=0)) / 100
    u, v = on_it.T
    residual = np.stack([u * u, u * v, v * v, u, v, np.ones_like(u)], axis=1) @ conic
    np.testing.assert_allclose(residual / np.abs(conic).max(), 0, atol=1e-9)


def test_fit_is_not_biased_by_an_open_outline():
    ellipse = Ellipse(300, 200, 150, 110, 0.4)
    arc = ellipse.points(1000)[:700]
    _assert_same(Ellipse.fit(arc), ellipse, 1e-6)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((4, 2)),
        np.zeros((9, 3)),
        np.zeros((9, 2)),
        np.stack([np.arange(9.0), np.arange(9.0)], 1),
        np.stack([np.arange(9.0), np.zeros(9)], 1),
    ],
    ids=["four", "three columns", "one point", "a diagonal", "a row"],
)
def test_points_that_no_ellipse_fits_are_refused(points):
    with pytest.raises(ValueError, match="ellipse"):
        Ellipse.fit(points)


matrices = st.tuples(*[_number(-3, 3)] * 4, _number(-500, 500), _number(-500, 500)).map(
    lambda m: np.array([[m[0], m[1], m[4]], [m[2], m[3], m[5]]])
)


@given(ellipses, matrices)
def test_a_transformed_ellipse_is_the_ellipse_of_the_transformed_points(ellipse, matrix):
    if abs(np.linalg.det(matrix[:, :2])) < 0.05:
        return
    moved = ellipse.transform(matrix)
    points = ellipse.points(64) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(_algebraic(moved, *points.T), 1, atol=1e-6)


def test_transforming_back_gives_the_ellipse_back():
    ellipse, matrix = Ellipse(30, 40, 20, 10, 0.7), np.array([[1.5, -0.3, 7], [0.4, 0.8, -9]])
    back = cv2.invertAffineTransform(matrix)
    _assert_same(ellipse.transform(matrix).transform(back), ellipse, 1e-9)


def test_a_singular_transformation_is_refused():
    with pytest.raises(ValueError, match="no ellipse"):
        Ellipse(0, 0, 2, 1, 0).transform(np.array([[1, 0, 0], [0, 0, 0]]))


@pytest.mark.parametrize("seed", range(20))
def test_a_rasterised_mask_holds_the_pixels_with_their_centre_inside(seed):
    ellipse = _random_ellipse(np.random.default_rng(seed))
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    mask = ellipse.rasterise(HEIGHT, WIDTH)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, _algebraic(ellipse, x, y) <= 1)


@pytest.mark.parametrize("seed", range(20))
def test_coverage_against_16_by_16_samples_a_pixel(seed):
    rng = np.random.default_rng(seed)
    ellipse = Ellipse(
        rng.uniform(20, 60), rng.uniform(15, 45), rng.uniform(10, 40), rng.uniform(10, 20), rng.uniform(-2, 2)
    )
    offsets = (np.arange(16) + 0.5) / 16 - 0.5
    y = (np.arange(HEIGHT)[:, None] + offsets).reshape(-1, 1)
    x = (np.arange(WIDTH)[:, None] + offsets).reshape(1, -1)
    sampled = (_algebraic(ellipse, x, y) <= 1).reshape(HEIGHT, 16, WIDTH, 16).mean(axis=(1, 3))
    covered = ellipse.coverage(HEIGHT, WIDTH)
    assert covered.dtype == np.float32
    assert np.abs(covered - sampled).max() < 0.13  # first order: worst where the boundary runs at 45 degrees
    assert covered.sum() == pytest.approx(sampled.sum(), rel=2e-3)


@pytest.mark.parametrize("ellipse", [Ellipse(-50, -50, 9, 5, 0), Ellipse(500, 20, 9, 5, 1), Ellipse(40, -9, 8, 8, 0)])
def test_an_ellipse_outside_the_frame_covers_nothing(ellipse):
    assert not ellipse.rasterise(HEIGHT, WIDTH).any()
    assert not ellipse.coverage(HEIGHT, WIDTH).any()
