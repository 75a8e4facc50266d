import math

import numpy as np
import pytest

from fetal_seg.data.phantom.writing import simulate
from fetal_seg.geometry.ellipse import Ellipse


@pytest.mark.parametrize("pixel_size_mm", [0.07, 0.13, 0.23])
def test_the_skull_is_brightest_where_it_faces_the_beam(pixel_size_mm):
    ellipse = Ellipse(395, 270, 200, 160, 0.0)
    outer, inner = ellipse.rasterise(540, 800), Ellipse(395, 270, 186, 146, 0.0).rasterise(540, 800)
    y, x = np.nonzero(outer - inner)
    direction = np.abs(np.arctan2((y - 270) / 160, (x - 395) / 200))
    facing, grazing = np.abs(direction - math.pi / 2) < 0.4, np.abs(direction - math.pi / 2) > math.pi / 2 - 0.4
    images = [simulate(ellipse, (540, 800), pixel_size_mm, np.random.default_rng(seed))[y, x] for seed in range(5)]
    echo = np.mean(images, axis=0)
    assert echo[facing].mean() > 1.4 * echo[grazing].mean()


def test_the_skull_begins_at_the_ellipse():
    ellipse = Ellipse(395, 270, 200, 160, 0.0)
    images = [simulate(ellipse, (540, 800), 0.13, np.random.default_rng(seed)) for seed in range(5)]
    bottom = np.mean(images, axis=0)[:, 375:416].mean(axis=1)
    assert bottom[420:427].mean() > 2 * bottom[442:449].mean()
    assert 415 < 400 + np.argmax(bottom[400:450]) < 430
