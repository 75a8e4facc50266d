import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.models.ellipse_head import EllipseHead


def drawn(parameters, height, width):
    """What a head draws that has learnt these numbers, whatever the image."""
    head = EllipseHead(8)
    head.last.bias.data.copy_(torch.tensor(parameters))
    with torch.no_grad():
        return head(torch.rand(1, 8, 3, 4), height, width)[0, 0].numpy()


@settings(max_examples=30)
@given(st.floats(-0.2, 0.2), st.floats(0.2, 0.4), st.floats(0.6, 0.95), st.floats(-1.5, 1.5))
def test_it_draws_the_ellipse_that_it_regresses(center, a, ratio, angle):
    height, width = 96, 144
    turned = (np.cos(2 * angle), np.sin(2 * angle))
    logits = drawn((center, -center / 2, np.log(a), np.log(ratio * a), *turned, 3.0), height, width)
    x, y = (width - 1) / 2 + height * center, (height - 1) / 2 - height * center / 2
    truth = Ellipse(x, y, height * a, height * ratio * a, angle).coverage(height, width) > 0.5
    found = logits > 0
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.99


def test_it_draws_the_same_ellipse_at_every_size():
    parameters = (0.1, 0.0, -1.2, -1.5, 0.5, 0.5, 0.0)
    small, large = drawn(parameters, 48, 72), drawn(parameters, 96, 144)
    assert (large > 0).mean() == pytest.approx((small > 0).mean(), rel=0.02)


def test_it_learns_where_a_blob_of_features_is():
    torch.manual_seed(0)
    head = EllipseHead(4)
    optimizer = torch.optim.Adam(head.parameters(), 3e-3)

    def example(column):
        features, mask = torch.rand(1, 4, 6, 9) * 0.1, torch.zeros(1, 1, 48, 72)
        features[..., 2:4, column] += 2.0
        mask[..., 16:32, 8 * column - 8 : 8 * column + 16] = 1.0
        return features, mask

    for step in range(600):
        features, mask = example(1 + step % 6)
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(head(features, 48, 72), mask).backward()
        optimizer.step()
    with torch.no_grad():
        for column in (1, 3, 6):
            features, mask = example(column)
            probability = head(features, 48, 72).sigmoid()[0, 0]
            center = (probability.sum(0) * torch.arange(72)).sum() / probability.sum()
            assert center == pytest.approx(8 * column + 3.5, abs=6)
