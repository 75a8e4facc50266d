import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.metrics import hausdorff_distance

from fetal_seg.evaluation.metrics import (
    circumference_difference,
    dice,
    ellipse_dice,
    ellipse_hausdorff,
    iou,
    surface_distances,
)
from fetal_seg.geometry.ellipse import Ellipse

SHAPE = (48, 64)
EMPTY = np.zeros(SHAPE, np.uint8)


def _random_shape(rng: np.random.Generator) -> np.ndarray:
    """Of all kinds: smooth blobs with holes and islands, ellipses cut by the frame, single pixels, dust, nothing."""
    kind = rng.integers(5)
    if kind == 0:
        return ndimage.gaussian_filter(rng.standard_normal(SHAPE), 4) > 0.03
    if kind == 1:
        ellipse = Ellipse(
            rng.uniform(0, 64), rng.uniform(0, 48), rng.uniform(3, 40), rng.uniform(3, 30), rng.uniform(-2, 2)
        )
        return ellipse.rasterise(*SHAPE) > 0
    if kind == 2:
        return rng.random(SHAPE) < 0.01
    mask = np.zeros(SHAPE, bool)
    if kind == 3:
        mask[rng.integers(48), rng.integers(64)] = True
    return mask


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)  # 4 neighbours, nothing outside the frame


PAIRS = [(_random_shape(rng), _random_shape(rng)) for rng in map(np.random.default_rng, range(60))]
FULL_PAIRS = [(a, b) for a, b in PAIRS if a.any() and b.any()]


def test_the_random_shapes_are_of_all_kinds():
    assert len(FULL_PAIRS) >= 20
    assert any(not a.any() and not b.any() for a, b in PAIRS)
    assert any(a.any() != b.any() for a, b in PAIRS)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_overlap_against_sets_of_pixels(a, b):
    one, other = set(map(tuple, np.argwhere(a))), set(map(tuple, np.argwhere(b)))
    expected_dice = 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0
    expected_iou = len(one & other) / len(one | other) if one or other else 1.0
    assert dice(a, b) == pytest.approx(expected_dice, abs=1e-12)
    assert iou(a, b) == pytest.approx(expected_iou, abs=1e-12)


@pytest.mark.parametrize(("a", "b"), FULL_PAIRS)
def test_distances_against_all_pairs_of_surface_pixels(a, b):
    between = 0.25 * cdist(np.argwhere(_surface(a)), np.argwhere(_surface(b)))
    there, back = between.min(axis=1), between.min(axis=0)
    found = surface_distances(a, b, pixel_size_mm=0.25)
    assert found.hd == pytest.approx(max(there.max(), back.max()))
    assert found.hd95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert found.assd == pytest.approx((there.sum() + back.sum()) / (len(there) + len(back)))
    assert found.nsd == pytest.approx(((there <= 1).sum() + (back <= 1).sum()) / (len(there) + len(back)))


@pytest.mark.parametrize(("a", "b"), FULL_PAIRS)
def test_distances_against_scikit_image_and_the_distance_transform(a, b):
    one, other = _surface(a), _surface(b)
    there, back = ndimage.distance_transform_edt(~other)[one], ndimage.distance_transform_edt(~one)[other]
    found = surface_distances(a, b)
    assert found.hd == pytest.approx(hausdorff_distance(one, other))
    assert found.hd == pytest.approx(max(there.max(), back.max()))
    assert found.assd == pytest.approx(np.concatenate([there, back]).mean())


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_all_is_symmetric_and_never_nan(a, b):
    assert dice(a, b) == dice(b, a)
    assert iou(a, b) == iou(b, a)
    assert surface_distances(a, b).hd == surface_distances(b, a).hd
    found = surface_distances(a, b)
    assert not any(map(math.isnan, (found.hd, found.hd95, found.assd, found.nsd)))
    assert found.assd <= found.hd
    assert found.hd95 <= found.hd


@pytest.mark.parametrize(("a", "b"), FULL_PAIRS)
def test_a_shape_is_at_no_distance_from_itself(a, b):
    assert dice(a, a) == iou(b, b) == 1
    found = surface_distances(a, a)
    assert found.hd == found.hd95 == found.assd == 0
    assert found.nsd == 1


def test_two_empty_masks_agree():
    found = surface_distances(EMPTY, EMPTY)
    assert dice(EMPTY, EMPTY) == iou(EMPTY, EMPTY) == 1
    assert found.hd == found.hd95 == found.assd == 0
    assert found.nsd == 1


def test_one_empty_mask_is_infinitely_far():
    full = np.ones(SHAPE, np.uint8)
    for a, b in ((EMPTY, full), (full, EMPTY)):
        found = surface_distances(a, b)
        assert dice(a, b) == iou(a, b) == 0
        assert found.hd == found.hd95 == found.assd == math.inf
        assert found.nsd == 0


def test_nsd_forgives_what_two_observers_differ_by():
    inner, outer = Ellipse(32, 32, 16, 12, 0.3).rasterise(64, 64), Ellipse(32, 32, 19, 15, 0.3).rasterise(64, 64)
    assert surface_distances(inner, outer, pixel_size_mm=1.0).nsd < 0.1  # 3 mm apart
    assert surface_distances(inner, outer, pixel_size_mm=0.2).nsd == 1  # 0.6 mm apart


def test_whatever_is_not_zero_is_head():
    mask = np.random.default_rng(0).random(SHAPE) < 0.5
    assert dice(mask * np.uint8(255), mask) == 1


@pytest.mark.parametrize("function", [dice, iou, surface_distances])
def test_masks_of_different_shapes_are_refused(function):
    with pytest.raises(ValueError, match="same image"):
        function(np.ones((3, 4)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="same image"):
        function(np.ones(4), np.ones(4))


def test_a_native_image_takes_little_time_and_memory():
    a, b = Ellipse(400, 270, 250, 180, 0.3), Ellipse(410, 265, 240, 185, 0.35)
    found = surface_distances(a.rasterise(540, 800), b.rasterise(540, 800), 0.1)
    assert found.hd == pytest.approx(ellipse_hausdorff(a, b, 0.1), abs=0.1)


@pytest.mark.parametrize("seed", range(25))
def test_hausdorff_distance_of_ellipses_against_dense_points(seed):
    rng = np.random.default_rng(seed)
    a = Ellipse(*rng.uniform(180, 220, 2), rng.uniform(80, 120), rng.uniform(20, 120), rng.uniform(-2, 2))
    b = Ellipse(*rng.uniform(180, 220, 2), rng.uniform(80, 120), rng.uniform(20, 120), rng.uniform(-2, 2))
    between = cdist(a.points(3000), b.points(3000))  # points at most 0.25 px apart
    dense = max(between.min(axis=0).max(), between.min(axis=1).max())
    assert ellipse_hausdorff(a, b) == pytest.approx(dense, abs=0.02)
    assert ellipse_hausdorff(a, b, 0.1) == pytest.approx(0.1 * ellipse_hausdorff(b, a), abs=1e-9)


def test_hausdorff_distance_of_ellipses_that_are_known():
    circle = Ellipse(50, 50, 20, 20, 0)
    assert ellipse_hausdorff(circle, circle) == pytest.approx(0, abs=1e-6)
    assert ellipse_hausdorff(circle, Ellipse(50, 50, 30, 30, 0)) == pytest.approx(10, abs=1e-6)
    assert ellipse_hausdorff(circle, Ellipse(57, 50, 20, 20, 0)) == pytest.approx(7, abs=1e-6)
    assert ellipse_hausdorff(circle, Ellipse(50, 50, 33, 20, 0.3)) == pytest.approx(13, abs=1e-6)


def test_dice_of_ellipses_is_that_of_their_masks():
    a, b = Ellipse(30, 20, 15, 10, 0.2), Ellipse(33, 21, 14, 11, 0.1)
    assert ellipse_dice(a, b, *SHAPE) == dice(a.rasterise(*SHAPE), b.rasterise(*SHAPE))
    assert ellipse_dice(a, a, *SHAPE) == 1


def test_missing_ellipses():
    head = Ellipse(30, 20, 15, 10, 0.2)
    assert ellipse_dice(None, None, *SHAPE) == 1
    assert ellipse_dice(None, head, *SHAPE) == ellipse_dice(head, None, *SHAPE) == 0
    assert ellipse_hausdorff(None, None) == 0
    assert ellipse_hausdorff(None, head) == ellipse_hausdorff(head, None) == math.inf
    assert circumference_difference(None, None, 0.1) == 0
    assert circumference_difference(None, head, 0.1) == -math.inf
    assert circumference_difference(head, None, 0.1) == math.inf


def test_difference_of_circumference_is_predicted_minus_true_in_mm():
    assert circumference_difference(Ellipse(0, 0, 11, 11, 0), Ellipse(5, 5, 10, 10, 0), 0.5) == pytest.approx(math.pi)
