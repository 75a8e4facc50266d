"""How augmentation moves heads: what is asked for is what heads do, and no more."""

import math

import numpy as np
import pytest

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.data.augmentation.affine import RandomAffine, warp
from fetal_seg.data.augmentation.augmenter import Augmenter
from fetal_seg.evaluation.metrics import dice
from fetal_seg.geometry.ellipse import Ellipse

SHAPE = (192, 288)
ASKED = RandomAffine(rotation_deg=40.0, zoom=(1 / 1.8, 1.3), aspect=1.2, shift=0.1)
UNMOVED = {"flip": False, "rotation_deg": 0.0, "scale": 1.0, "shift": 0.0, "gamma": 1.0, "contrast": 0.0}


def _axes(mask):
    """Long and short axis of what is white, of its second moments."""
    y, x = np.nonzero(mask > 127)
    return np.sqrt(np.linalg.eigvalsh(np.cov(x, y)))[::-1]


def test_maps_stay_within_what_is_asked():
    """Angle, zoom and stretch come back from the polar decomposition of each map."""
    rng = np.random.default_rng(0)
    turns, zooms, ratios, shifts = [], [], [], []
    for _ in range(2000):
        matrix = ASKED.sample(SHAPE, rng)
        u, stretches, vt = np.linalg.svd(matrix[:, :2])
        turns.append(math.degrees(math.atan2((u @ vt)[1, 0], (u @ vt)[0, 0])))
        zooms.append(math.sqrt(stretches[0] * stretches[1]))
        ratios.append(stretches[0] / stretches[1])
        middle = np.array([143.5, 95.5])
        shifts.append((matrix[:, :2] @ middle + matrix[:, 2] - middle) / (288, 192))
    for values, low, high in ((turns, -40, 40), (zooms, 1 / 1.8, 1.3), (ratios, 1, 1.2), (shifts, -0.1, 0.1)):
        span = high - low
        assert low - 1e-9 <= np.min(values) < low + 0.02 * span
        assert high - 0.02 * span < np.max(values) <= high + 1e-9
    assert np.median(zooms) == pytest.approx(math.sqrt(1.3 / 1.8), rel=0.03), "in as likely as out, by its logarithm"


@pytest.mark.parametrize("seed", range(12))
def test_a_moved_mask_is_that_of_the_moved_ellipse(seed):
    rng = np.random.default_rng(seed)
    head = Ellipse(143, 96, rng.uniform(35, 55), rng.uniform(25, 34), rng.uniform(0, math.pi))
    matrix = ASKED.sample(SHAPE, rng)
    moved = warp(np.rint(255 * head.coverage(*SHAPE)).astype(np.uint8), matrix)
    assert dice(moved > 127, head.transform(matrix).rasterise(*SHAPE)) > 0.985


def test_a_map_that_changes_nothing_keeps_every_pixel():
    image = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    np.testing.assert_array_equal(warp(image, RandomAffine().sample(SHAPE, np.random.default_rng(1))), image)


def test_what_shrinks_does_not_alias():
    """A fine checkerboard becomes grey, not a coarse one."""
    y, x = np.indices(SHAPE)
    fine = np.where((x + y) % 2, 255, 0).astype(np.uint8)
    halved = warp(fine, np.array([[0.5, 0, 72], [0, 0.5, 48]]))[60:130, 90:200]
    assert halved.std() < 30 < fine.std()


@pytest.mark.parametrize("aspect", [1.0, 1.1, 1.3])
def test_a_head_keeps_its_shape_however_far_it_is_zoomed(aspect):
    """The ratio of its axes changes by no more than `aspect`; zoom is none of it."""
    head = np.rint(255 * Ellipse(143, 96, 36, 28, 0).coverage(*SHAPE)).astype(np.uint8)
    keys = UNMOVED | {"rotation_deg": 30.0, "scale": 1.3, "zoom_out": 1.8, "aspect": aspect}
    augmenter = Augmenter(Augmentation(**keys))
    moved = [_axes(augmenter(head, head, seed)[1]) for seed in range(200)]
    ratios = np.array([long / short for long, short in moved]) / (36 / 28)
    assert ratios.max() < 1.03 * aspect
    assert ratios.min() > 1 / (1.03 * aspect)
    sizes = np.array([math.sqrt(long * short) for long, short in moved]) / math.sqrt(math.prod(_axes(head)))
    assert sizes.min() == pytest.approx(1 / 1.8, rel=0.05)
    assert sizes.max() == pytest.approx(1.3, rel=0.05)


def test_zoom_out_counts_only_beyond_scale():
    head = np.rint(255 * Ellipse(143, 96, 36, 28, 0).coverage(*SHAPE)).astype(np.uint8)
    less, none = (Augmenter(Augmentation(**UNMOVED | {"scale": 1.5, "zoom_out": z})) for z in (1.2, 1.0))
    for seed in range(5):
        np.testing.assert_array_equal(less(head, head, seed)[0], none(head, head, seed)[0])
