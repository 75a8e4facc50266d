import numpy as np
import pytest

from fetal_seg import novelty
from fetal_seg.data.phantom import write_phantoms
from fetal_seg.data.preprocess import Letterbox
from fetal_seg.imageio import read_grey


def _features(rng, count=90, size=11):
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size)) + rng.normal(size=size)


def test_distances_against_scipy():
    from scipy.spatial.distance import mahalanobis

    known = _features(np.random.default_rng(0))
    seen = novelty.fit(known)
    precision = np.linalg.inv(np.cov(known.T))
    for row in known[:5] + 1:
        assert novelty.distance(seen, row) == pytest.approx(mahalanobis(row, known.mean(axis=0), precision))


def test_the_largest_distance_is_of_images_that_are_left_out():
    known = _features(np.random.default_rng(1))
    left_out = [
        novelty.distance(novelty.fit(np.delete(known, index, axis=0)), known[index]) for index in range(len(known))
    ]
    assert novelty.fit(known)["largest"] == pytest.approx(np.quantile(left_out, novelty.KNOWN))


def test_too_few_images_or_constant_features_teach_nothing():
    known = _features(np.random.default_rng(2))
    assert novelty.fit(known[:59]) is None
    known[:, 3] = 0.5
    assert novelty.fit(known) is None


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    import zipfile

    folder = tmp_path_factory.mktemp("novelty")
    write_phantoms(folder, train=0, test=70, seed=1)
    with zipfile.ZipFile(folder / "test_set.zip") as archive:
        archive.extractall(folder)
    box = Letterbox(96, 144)
    return [box.apply(read_grey(path)) for path in sorted((folder / "test_set").iterdir())]


def test_what_is_no_ultrasound_is_far_away(phantoms):
    seen = novelty.fit(np.array([novelty.features(image) for image in phantoms]))
    own = [novelty.distance(seen, novelty.features(image)) / seen["largest"] for image in phantoms]
    assert np.mean(np.array(own) <= 1) > 0.95
    rng = np.random.default_rng(0)
    strange = {
        "noise": rng.integers(0, 256, (96, 144), dtype=np.uint8),
        "white": np.full((96, 144), 250, np.uint8),
        "stripes": (np.arange(144)[None] % 8 < 4).repeat(96, 0).astype(np.uint8) * 255,
        "negative": 255 - phantoms[0],
    }
    for name, image in strange.items():
        assert novelty.distance(seen, novelty.features(image)) / seen["largest"] > 2, name
