import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.models.blocks import ACTIVATIONS, BLOCKS
from fetal_seg.models.building import build_network


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("block", BLOCKS)
def test_every_activation_in_every_block_passes_gradients(activation, block):
    network = build_network(
        Choice("encoder_decoder", {"depth": 2, "width": 8, "activation": activation, "block": block})
    )
    network(torch.rand(2, 1, 32, 32)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_convolutions_train_to_the_same_gradients_in_bfloat16(stride):
    from fetal_seg.models.blocks import DepthwiseConv

    torch.manual_seed(3)
    layer = DepthwiseConv(6, 5, stride).train()
    plain = torch.nn.Conv2d(6, 6, 5, stride, 2, groups=6, bias=False)
    plain.load_state_dict(layer.state_dict())
    images = torch.randn(2, 6, 20, 24)
    plain(images).square().mean().backward()
    with torch.autocast("cpu", torch.bfloat16):
        result = layer(images.bfloat16())
        result.float().square().mean().backward()
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad, rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("name", ["encoder_decoder", "lite", "unet"])
def test_folded_norms_compute_the_same(name):
    from fetal_seg.models.blocks import fold_norms

    torch.manual_seed(0)
    network = build_network(Choice(name, {"depth": 2, "width": 4}))
    network.train()
    for _ in range(3):  # so that the norms have statistics
        network(torch.randn(2, 1, 24, 32) * 3 + 1)
    network.eval()
    images = torch.randn(2, 1, 24, 32)
    with torch.no_grad():
        before = network(images)
        after = fold_norms(network)(images)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
