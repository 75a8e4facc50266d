import numpy as np
import pytest

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.data.augmentation import artefacts
from fetal_seg.data.augmentation.augmenter import Augmenter
from fetal_seg.geometry.ellipse import Ellipse

HEAD = Ellipse(140, 96, 70, 52, 0.3)
CHANGES = (artefacts.change_gain, artefacts.add_shadow, artefacts.add_speckle, artefacts.add_marks)


def scan(seed=0):
    """A bright ring on speckle, and its mask."""
    rng = np.random.default_rng(seed)
    cover = HEAD.coverage(192, 288)
    ring = cover - Ellipse(140, 96, 64, 46, 0.3).coverage(192, 288)
    image = 40 + 150 * ring + rng.normal(0, 12, cover.shape)
    return np.clip(image, 0, 255).astype(np.uint8), np.rint(255 * cover).astype(np.uint8)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(8))
def test_artefacts_change_an_image_and_leave_the_original(change, seed):
    image, _ = scan()
    before = image.copy()
    changed = [change(image, np.random.default_rng(seed * 10 + number)) for number in range(6)]
    np.testing.assert_array_equal(image, before)
    for one in changed:
        assert one.dtype == np.uint8
        assert one.shape == image.shape
    assert any((one != image).any() for one in changed)
    again = change(image, np.random.default_rng(seed * 10))
    np.testing.assert_array_equal(again, changed[0])


def test_a_shadow_only_darkens_and_a_gain_keeps_black():
    image, _ = scan()
    for seed in range(10):
        assert (artefacts.add_shadow(image, np.random.default_rng(seed)) <= image).all()
        assert artefacts.change_gain(np.zeros_like(image), np.random.default_rng(seed)).max() == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_sector_holds_the_whole_head_and_black_is_outside_of_it(seed):
    image, mask = scan()
    image = np.maximum(image, 1)
    cut = artefacts.cut_sector(image, mask, np.random.default_rng(seed))
    np.testing.assert_array_equal(cut[mask > 0], image[mask > 0])
    np.testing.assert_array_equal(cut[cut > 0], image[cut > 0])
    empty = artefacts.cut_sector(image, np.zeros_like(mask), np.random.default_rng(seed))
    assert empty[96, 144] == image[96, 144]


def test_sectors_end_at_all_sides():
    image, mask = scan()
    cuts = [artefacts.cut_sector(np.full_like(image, 9), mask, np.random.default_rng(seed)) == 0 for seed in range(40)]
    for side in (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
        assert sum(cut[side].all() for cut in cuts) > 3


@pytest.mark.parametrize("seed", range(30))
def test_no_head_is_left(seed):
    """What correlates with the ring of the head before does not after."""
    image, mask = scan()
    without = artefacts.without_head(image, mask, np.random.default_rng(seed))
    assert without.dtype == np.uint8
    assert without.shape == image.shape
    ring = (image > 120).astype(float)
    alike = np.corrcoef(ring.ravel(), without.astype(float).ravel())[0, 1] if without.std() else 0.0
    assert alike < 0.4 < np.corrcoef(ring.ravel(), image.astype(float).ravel())[0, 1]


def test_an_image_without_a_head_has_one_less():
    image, mask = scan()
    without = artefacts.without_head(image, np.zeros_like(mask), np.random.default_rng(0))
    assert without.shape == image.shape


def test_negatives_come_as_often_as_asked_with_empty_masks():
    image, mask = scan()
    keys = {"flip": False, "rotation_deg": 0.0, "scale": 1.0, "shift": 0.0, "gamma": 1.0, "contrast": 0.0}
    augmenter = Augmenter(Augmentation(**keys, negatives=0.3))
    results = [augmenter(image, mask, seed) for seed in range(300)]
    empty = [not changed.any() for _, changed in results]
    assert np.mean(empty) == pytest.approx(0.3, abs=0.08)
    for (changed, own_mask), is_empty in zip(results, empty, strict=True):
        if not is_empty:
            np.testing.assert_array_equal(changed, image)
            np.testing.assert_array_equal(own_mask, mask)


@pytest.mark.parametrize("key", ["gain", "shadow", "speckle", "marks", "sector"])
def test_artefacts_leave_the_mask(key):
    image, mask = scan()
    keys = {"flip": False, "rotation_deg": 0.0, "scale": 1.0, "shift": 0.0, "gamma": 1.0, "contrast": 0.0}
    augmenter = Augmenter(Augmentation(**keys, **{key: 1.0}))
    results = [augmenter(image, mask, seed) for seed in range(6)]
    assert any((changed != image).any() for changed, _ in results)
    for _, own_mask in results:
        np.testing.assert_array_equal(own_mask, mask)
