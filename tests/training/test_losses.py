import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import LOSSES
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.training.losses import bce_dice, build_loss, deep_supervision_loss, moment_circumference


@pytest.mark.parametrize("name", LOSSES.names())
def test_the_minimum_is_where_the_probability_is_the_coverage(name):
    """A boundary pixel that is covered to 30 % is not pulled to 0 or 1."""
    torch.manual_seed(0)
    target = torch.rand(1, 1, 12, 12).clamp(0.05, 0.95)
    logits = torch.zeros_like(target, requires_grad=True)
    optimizer = torch.optim.Adam([logits], 0.05)
    loss = build_loss(Choice(name))
    for _ in range(600):
        optimizer.zero_grad()
        loss(logits, target).backward()
        optimizer.step()
    assert (logits.sigmoid() - target).abs().mean() < 0.03


@pytest.mark.parametrize("name", LOSSES.names())
def test_losses_are_finite_on_empty_and_full_targets_and_sure_logits(name):
    loss = build_loss(Choice(name))
    for value in (0.0, 1.0):
        for logit in (-80.0, 0.0, 80.0):
            logits = torch.full((2, 1, 9, 9), logit, requires_grad=True)
            result = loss(logits, torch.full((2, 1, 9, 9), value))
            result.backward()
            assert torch.isfinite(result)
            assert torch.isfinite(logits.grad).all()
    good = loss(torch.full((1, 1, 9, 9), 20.0), torch.ones(1, 1, 9, 9))
    bad = loss(torch.full((1, 1, 9, 9), -20.0), torch.ones(1, 1, 9, 9))
    assert good < bad


def test_bce_dice_is_the_sum_of_its_parts():
    logits, target = torch.randn(3, 1, 8, 8), torch.rand(3, 1, 8, 8)
    parts = build_loss(Choice("bce"))(logits, target) + 0.5 * build_loss(Choice("dice"))(logits, target)
    assert torch.isclose(build_loss(Choice("bce_dice", {"dice_weight": 0.5}))(logits, target), parts)


def test_the_boundary_weighs_more_in_the_boundary_loss():
    target = torch.zeros(1, 1, 40, 40)
    target[..., 10:30, 10:30] = 1
    right = (target - 0.5) * 10
    near, far = right.clone(), right.clone()
    near[..., 10, 20] *= -1
    far[..., 20, 20] *= -1
    loss = build_loss(Choice("boundary"))
    assert loss(near, target) > loss(far, target) > loss(right, target)


@given(st.floats(0.5, 1.0), st.floats(16, 40), st.floats(-1.5, 1.5), st.floats(45, 75), st.floats(45, 75))
def test_the_circumference_by_moments_is_the_ellipses(ratio, half, angle, x, y):
    ellipse = Ellipse(x, y, half, ratio * half, angle)
    mask = torch.tensor(ellipse.coverage(120, 120), dtype=torch.float32)[None, None]
    assert moment_circumference(mask).item() == pytest.approx(ellipse.circumference, rel=0.004)


def test_the_circumference_loss_punishes_a_head_too_small_or_too_large_and_passes_over_images_without():
    def head(half: float) -> torch.Tensor:
        return torch.tensor(Ellipse(40, 40, half, 0.7 * half, 0.3).coverage(80, 80)).float()[None, None]

    def logits(half: float) -> torch.Tensor:
        return head(half).logit(eps=1e-7)

    target = head(25)
    loss = {
        half: build_loss(Choice("circumference", {"circumference_weight": 9.0}))(logits(half), target)
        for half in (23, 25, 27)
    }
    parts = {half: bce_dice(logits(half), target) for half in (23, 25, 27)}
    for half in (23, 27):
        expected = 9.0 * abs(math.log(half / 25))
        assert (loss[half] - parts[half]).item() == pytest.approx(expected, rel=0.05)
    assert (loss[25] - parts[25]).item() < 0.02
    empty = torch.zeros_like(target)
    both = build_loss(Choice("circumference"))(torch.cat([logits(27)] * 2), torch.cat([target, empty]))
    alone = bce_dice(torch.cat([logits(27)] * 2), torch.cat([target, empty]))
    assert (both - alone).item() == pytest.approx(math.log(27 / 25), rel=0.05)


def test_deep_supervision_weights_levels_by_halves():
    target = torch.rand(2, 1, 16, 16)
    fine, coarse = torch.randn(2, 1, 16, 16), torch.randn(2, 1, 8, 8)
    loss = build_loss(Choice("bce"))
    half = torch.nn.functional.avg_pool2d(target, 2)
    expected = (loss(fine, target) + 0.5 * loss(coarse, half)) / 1.5
    assert torch.isclose(deep_supervision_loss(loss, [fine, coarse], target), expected)


def test_what_is_wrong_far_from_the_boundary_weighs_more_in_the_signed_distance_loss():
    target = torch.zeros(1, 1, 40, 40)
    target[..., 10:30, 10:30] = 1
    right = (target - 0.5) * 10
    near, far = right.clone(), right.clone()
    near[..., 9, 20] *= -1
    far[..., 1, 20] *= -1
    loss = build_loss(Choice("signed_distance"))
    assert loss(far, target) > loss(near, target) > loss(right, target)
    only_near = build_loss(Choice("signed_distance", {"radius": 1}))  # all pixels but the boundary's are as far
    assert only_near(far, target).item() == pytest.approx(only_near(near, target).item(), rel=1e-5)
