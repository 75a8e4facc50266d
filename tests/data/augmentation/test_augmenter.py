"""What augmentation does to an image and its mask."""

import numpy as np

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.data.augmentation.augmenter import Augmenter
from fetal_seg.geometry.ellipse import Ellipse


def test_augmentation_moves_image_and_mask_alike():
    ellipse = Ellipse(140, 100, 60, 40, 0.3)
    coverage = np.rint(255 * ellipse.coverage(192, 288)).astype(np.uint8)
    augmenter = Augmenter(Augmentation(gamma=1.0, contrast=0.0))
    for seed in range(20):
        image, mask = augmenter(coverage.copy(), coverage.copy(), seed)
        assert image.shape == mask.shape == (192, 288)
        assert np.abs(image.astype(int) - mask).max() <= 2
    assert len({augmenter(coverage, coverage, seed)[1].tobytes() for seed in range(20)}) == 20


def test_augmentation_is_a_function_of_its_seed_and_can_be_turned_off():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 255, (2, 96, 128), dtype=np.uint8)
    keys = {"noise": 0.2, "blur": 1.5, "aspect": 1.2}
    one, other = Augmenter(Augmentation(**keys)), Augmenter(Augmentation(**keys))
    other(image, mask, 99)
    assert all(np.array_equal(a, b) for a, b in zip(one(image, mask, 5), other(image, mask, 5), strict=True))
    assert not np.array_equal(one(image, mask, 5)[0], one(image, mask, 6)[0])
    still = Augmenter(Augmentation(enabled=False, **keys))(image, mask, 5)
    assert np.array_equal(still[0], image)
    assert np.array_equal(still[1], mask)


def test_grey_augmentation_leaves_the_mask_alone():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 255, (2, 96, 128), dtype=np.uint8)
    grey = Augmenter(Augmentation(flip=False, rotation_deg=0, scale=1, shift=0, noise=0.2, blur=1.0))
    changed = [grey(image, mask, seed) for seed in range(8)]
    assert all(np.array_equal(m, mask) for _, m in changed)
    assert any(not np.array_equal(i, image) for i, _ in changed)
