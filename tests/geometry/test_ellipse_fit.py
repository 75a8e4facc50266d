import numpy as np
import pytest

from fetal_seg.geometry import ellipse_fit
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import fit_head, head_contour

HEIGHT, WIDTH = 192, 288
SCALE_X, SCALE_Y = 800 / WIDTH, 540 / HEIGHT
TO_NATIVE = np.array([[SCALE_X, 0, SCALE_X / 2 - 0.5], [0, SCALE_Y, SCALE_Y / 2 - 0.5]])  # edges map to edges
TO_MAP = np.array([[1 / SCALE_X, 0, 0.5 / SCALE_X - 0.5], [0, 1 / SCALE_Y, 0.5 / SCALE_Y - 0.5]])
SAME = np.eye(2, 3)
HEAD = Ellipse(140, 90, 70, 52, 0.4)


def _ellipse(values: np.ndarray, level: float, to_native: np.ndarray, size: tuple[int, int] | None = None):
    fit = fit_head(values, level, to_native, size)
    return fit and fit.ellipse


def _random_head(rng: np.random.Generator) -> Ellipse:
    """In pixels of an image of 540 x 800, wholly inside."""
    while True:
        a = rng.uniform(60, 330)
        head = Ellipse(rng.uniform(0, 800), rng.uniform(0, 540), a, a * rng.uniform(0.65, 0.95), rng.uniform(-2, 2))
        width, height = head.half_extent
        if 4 + width < head.center_x < 795 - width and 4 + height < head.center_y < 535 - height:
            return head


def _relative_error(head: Ellipse, level: float = 0.5, logits: bool = False) -> float:
    values = head.transform(TO_MAP).coverage(HEIGHT, WIDTH).astype(np.float64)
    if logits:
        values = np.log((values + 1e-3) / (1 - values + 1e-3))
    measured = _ellipse(values, level, TO_NATIVE)
    assert measured is not None
    return measured.circumference / head.circumference - 1


def test_the_circumference_of_coarse_maps_is_accurate_and_not_biased():
    rng = np.random.default_rng(0)
    errors = np.array([_relative_error(_random_head(rng)) for _ in range(200)])
    assert np.abs(errors).mean() < 0.001
    assert abs(errors.mean()) < 0.0002


def test_logits_are_measured_at_zero():
    rng = np.random.default_rng(1)
    errors = np.array([_relative_error(_random_head(rng), 0.0, logits=True) for _ in range(50)])
    assert np.abs(errors).mean() < 0.001


def test_all_of_the_ellipse_is_mapped_to_the_image():
    head = Ellipse(400, 250, 200, 150, 0.5)
    measured = _ellipse(head.transform(TO_MAP).coverage(HEIGHT, WIDTH), 0.5, TO_NATIVE)
    assert measured is not None
    for name in head.__dataclass_fields__:
        assert getattr(measured, name) == pytest.approx(getattr(head, name), abs=0.1)


def _assert_is_head(values, tolerance: float = 0.002) -> None:
    measured = _ellipse(values, 0.5, SAME)
    assert measured is not None
    assert measured.circumference == pytest.approx(HEAD.circumference, rel=tolerance)
    assert measured.center_x == pytest.approx(HEAD.center_x, abs=0.2)


def test_islands_do_not_count():
    values = HEAD.coverage(HEIGHT, WIDTH)
    values[5:25, 240:270] = 1
    values[150:170, 250] = 1
    _assert_is_head(values)


def test_an_island_with_a_longer_boundary_does_not_count():
    head, values = Ellipse(60, 96, 40, 32, 0.4), np.zeros((HEIGHT, WIDTH))
    values += head.coverage(HEIGHT, WIDTH)
    values[100:103, 150:280] = 1
    values[80:100, 150:280:4] = 1  # a comb
    measured = _ellipse(values, 0.5, SAME)
    assert measured is not None
    assert measured.circumference == pytest.approx(head.circumference, rel=0.002)


def test_holes_do_not_count():
    values = HEAD.coverage(HEIGHT, WIDTH)
    values[70:110, 120:160] = 0
    _assert_is_head(values)


@pytest.mark.parametrize(("shift_x", "shift_y"), [(-95, 0), (0, -55), (100, 0), (0, 65), (-95, -55)])
def test_a_head_cut_by_the_frame_is_measured_by_what_is_seen_of_its_boundary(shift_x, shift_y):
    head = Ellipse(HEAD.center_x + shift_x, HEAD.center_y + shift_y, 70, 52, 0.4)
    measured = _ellipse(head.coverage(HEIGHT, WIDTH), 0.5, SAME)
    assert measured is not None
    assert measured.circumference == pytest.approx(head.circumference, rel=0.005)


@pytest.mark.parametrize("value", [0.0, -7.0, 0.5])
def test_nothing_above_the_level_is_no_head(value):
    values = np.full((HEIGHT, WIDTH), value)
    assert head_contour(values, 0.5) is None
    assert _ellipse(values, 0.5, SAME) is None


def test_a_map_that_is_not_a_number_is_no_head():
    assert _ellipse(np.full((HEIGHT, WIDTH), np.nan), 0.5, SAME) is None


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (1, 200)])
def test_a_tiny_or_thin_blob_is_no_head(rows, columns, monkeypatch):
    values = np.zeros((HEIGHT, WIDTH))
    values[50 : 50 + rows, 60 : 60 + columns] = 1
    if rows * columns < 25:
        assert _ellipse(values, 0.5, SAME) is None
    monkeypatch.setattr(ellipse_fit, "SMALLEST_AREA", 1000.0)
    assert _ellipse(values, 0.5, SAME) is None


def test_a_full_map_is_measured_without_an_error():
    measured = _ellipse(np.ones((HEIGHT, WIDTH)), 0.5, SAME)
    assert measured is None or measured.area > HEIGHT * WIDTH / 2


def test_the_contour_lies_on_the_level_line():
    values = np.clip(np.linspace(0, 1, 21)[None, :] * np.ones((15, 1)), 0, 1)
    contour = head_contour(values, 0.52)
    assert contour is not None
    np.testing.assert_allclose(contour[:, 0], 10.4)


def test_the_truths_of_hc18_are_measured_again_at_the_networks_size(hc18_root, cache_dir):
    """All 999 ellipses, rasterised at 192 x 288: less than 0.1 % of error on average, less than 0.02 % of bias."""
    from concurrent.futures import ThreadPoolExecutor

    from fetal_seg.data.sources.hc18 import load
    from fetal_seg.geometry.letterbox import Letterbox

    box = Letterbox(HEIGHT, WIDTH)

    def error(record):
        truth, (height, width) = record.read_truth()
        small = truth.transform(box.to_network(height, width)).rasterise(HEIGHT, WIDTH).astype(np.float32)
        found = _ellipse(small, 0.5, box.to_native(height, width), (height, width))
        return found.circumference / truth.circumference - 1

    with ThreadPoolExecutor() as pool:
        errors = np.array(list(pool.map(error, load(hc18_root, cache_dir, download=False))))
    assert len(errors) == 999
    assert np.abs(errors).mean() < 0.001
    assert abs(errors.mean()) < 0.0002


def test_a_leak_of_the_boundary_does_not_count():
    values = HEAD.coverage(HEIGHT, WIDTH)
    x, y = HEAD.points(1000)[250].astype(int)
    values[max(y - 6, 0) : y + 9, x - 12 : x + 12] = 1  # a bump
    measured, all_points = _ellipse(values, 0.5, SAME), head_contour(values, 0.5)
    assert measured is not None
    assert all_points is not None
    error = abs(measured.circumference / HEAD.circumference - 1)
    assert error < 0.004
    assert error < abs(Ellipse.fit(all_points).circumference / HEAD.circumference - 1)


@pytest.mark.parametrize("shape", ["bar", "cross"])
def test_what_is_no_ellipse_of_a_head_is_no_head(shape):
    values = np.zeros((HEIGHT, WIDTH))
    values[90:100, 20:270] = 1
    if shape == "cross":
        values[10:180, 140:150] = 1
    assert _ellipse(values, 0.5, SAME) is None


def test_how_well_region_and_ellipse_agree_is_told():
    from fetal_seg.geometry.ellipse_fit import fit_head

    good = fit_head(HEAD.coverage(HEIGHT, WIDTH), 0.5, SAME)
    assert good is not None
    assert good.agreement > 0.98
    assert good.cut == 0
    bitten = HEAD.coverage(HEIGHT, WIDTH)
    bitten[60:100, 150:] = 0
    worse = fit_head(bitten, 0.5, SAME)
    assert worse is not None
    assert worse.agreement < 0.96


def _logits(*heads: tuple[Ellipse, float]) -> np.ndarray:
    """A map (120, 180) of ellipses, each as sure as its value says."""
    values = np.full((120, 180), -6.0)
    for head, sure in heads:
        values = np.maximum(values, np.where(head.coverage(120, 180) > 0.5, sure, -6.0))
    return values


def test_of_two_regions_the_surer_one_is_the_head():
    body, head = Ellipse(45, 60, 34, 24, 0.2), Ellipse(130, 60, 24, 18, 0.1)
    for sure_of_body, expected in ((1.0, head), (5.0, body)):
        found = fit_head(_logits((body, sure_of_body), (head, 3.0)), 0.0, np.eye(2, 3))
        assert found.ellipse.center_x == pytest.approx(expected.center_x, abs=1)


def test_a_small_region_is_no_rival_however_sure():
    head, speck = Ellipse(60, 60, 40, 30, 0.1), Ellipse(150, 60, 12, 9, 0.1)
    found = fit_head(_logits((head, 1.0), (speck, 9.0)), 0.0, np.eye(2, 3))
    assert found.ellipse.center_x == pytest.approx(60, abs=1)
