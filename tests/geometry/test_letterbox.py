"""From an image to the network and back."""

from dataclasses import astuple

import numpy as np
import pytest

from fetal_seg.geometry import ellipse_fit
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.letterbox import Letterbox


@pytest.mark.parametrize("shape", [(540, 800), (563, 738), (300, 200), (100, 100), (64, 2000)])
def test_letterbox_moves_an_ellipse_with_its_image(shape, monkeypatch):
    """The mask of a scaled image is the scaled mask, to a part of a pixel, at any size and aspect ratio."""
    height, width = shape
    box = Letterbox(192, 288)
    ellipse = Ellipse(0.45 * width, 0.55 * height, 0.3 * min(shape), 0.2 * min(shape), 0.6)
    scaled_mask = box.apply(np.rint(255 * ellipse.coverage(*shape)).astype(np.uint8))
    moved = ellipse.transform(box.to_network(*shape))
    monkeypatch.setattr(ellipse_fit, "SMALLEST_AREA", 1.0)
    fit = ellipse_fit.fit_head(scaled_mask.astype(float), 127.5, np.eye(2, 3))
    assert astuple(fit.ellipse)[:4] == pytest.approx(astuple(moved)[:4], abs=0.06)
    back = moved.transform(box.to_native(*shape))
    assert back.circumference == pytest.approx(ellipse.circumference, rel=1e-9)
    assert (back.center_x, back.center_y) == pytest.approx((ellipse.center_x, ellipse.center_y))


def test_letterbox_undo_gives_the_map_at_the_images_size():
    box, shape = Letterbox(192, 288), (563, 738)
    ellipse = Ellipse(300, 280, 170, 120, 0.4)
    small = ellipse.transform(box.to_network(*shape)).coverage(192, 288)
    mask = box.undo(small, *shape) > 0.5
    truth = ellipse.rasterise(*shape)
    assert 2 * (mask & (truth > 0)).sum() / (mask.sum() + truth.sum()) > 0.998
