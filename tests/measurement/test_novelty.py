import numpy as np
import pytest

from fetal_seg.data.phantom.writing import simulate
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement import novelty


def _features(rng, count=90, size=11):
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size)) + rng.normal(size=size)


def test_distances_against_scipy():
    from scipy.spatial.distance import mahalanobis

    known = _features(np.random.default_rng(0))
    seen = novelty.fit(known[:, None])
    precision = np.linalg.inv(np.cov(known.T))
    for row in known[:5] + 1:
        assert novelty.distance(seen, row) == pytest.approx(mahalanobis(row, known.mean(axis=0), precision))


def test_the_largest_distance_is_of_images_that_are_left_out():
    known = _features(np.random.default_rng(1))
    left_out = [
        novelty.distance(novelty.fit(np.delete(known, index, axis=0)[:, None]), known[index])
        for index in range(len(known))
    ]
    assert novelty.fit(known[:, None]).largest == pytest.approx(np.quantile(left_out, novelty.KNOWN))


def test_too_few_heads_or_constant_features_teach_nothing():
    known = _features(np.random.default_rng(2))
    assert novelty.fit([]) is None
    assert novelty.fit(known[:59, None]) is None
    assert novelty.fit(known[:, None].repeat(5, 1)[:59]) is None, "views of a head are not heads"
    known[:, 3] = 0.5
    assert novelty.fit(known[:, None]) is None


HEAD = Ellipse(200, 135, 75, 60, 0.3)


@pytest.fixture(scope="module")
def scans():
    """Phantoms at the network's size, with the region of the head."""
    box = Letterbox(192, 288)
    region = (box.apply(255 * HEAD.rasterise(270, 400)) > 127).astype(np.uint8)
    images = []
    for number in range(70):
        image = simulate(HEAD, (270, 400), 0.3, np.random.default_rng(number))
        images.append(box.apply(image))
    return images, region


def test_what_is_no_ultrasound_is_far_away(scans):
    images, region = scans
    seen = novelty.fit([novelty.known_features(image, region) for image in images])
    own = [novelty.novelty_score(image, region, seen) for image in images]
    assert np.mean(np.array(own) <= 1) > 0.95
    rng = np.random.default_rng(0)
    strange = {
        "noise": rng.integers(0, 256, region.shape, dtype=np.uint8),
        "white": np.full(region.shape, 250, np.uint8),
        "stripes": (np.arange(288)[None] % 8 < 4).repeat(192, 0).astype(np.uint8) * 255,
        "negative": 255 - images[0],
    }
    for name, image in strange.items():
        assert novelty.novelty_score(image, region, seen) > 1.5, name


def test_gain_and_gamma_are_known(scans):
    images, region = scans
    seen = novelty.fit([novelty.known_features(image, region) for image in images])
    for change in (lambda x: x**0.7, lambda x: x**1.5, lambda x: 0.6 * x):
        told = [
            novelty.novelty_score(np.rint(255 * change(image / 255)).astype(np.uint8), region, seen) for image in images
        ]
        assert np.mean(np.array(told) <= 1) > 0.9


@pytest.mark.parametrize("around", [0, 255])
def test_what_lies_far_from_the_head_is_not_looked_at(scans, around):
    images, region = scans
    y, x = np.nonzero(region)
    near = np.zeros(region.shape, bool)
    near[max(y.min() - 22, 0) : y.max() + 23, max(x.min() - 27, 0) : x.max() + 28] = True
    page = np.where(near, images[0], around).astype(np.uint8)
    np.testing.assert_array_equal(novelty.about(page, region), novelty.about(images[0], region))
