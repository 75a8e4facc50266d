"""What every network is held to."""

import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import NETWORKS
from fetal_seg.models.building import build_network
from fetal_seg.models.checkpoint import KEY, PREFIX, read_checkpoint
from fetal_seg.training.epoch_metrics import HeadDice, count_overlap
from fetal_seg.training.losses import bce_dice, deep_supervision_loss
from tests.models.descriptions import described

CHOICES = [
    Choice("encoder_decoder", {"depth": 3, "width": 8}),
    Choice("encoder_decoder", {"depth": 2, "width": 8, "block": "plain", "skip": "none", "upsample": "nearest"}),
    Choice("encoder_decoder", {"depth": 3, "width": 8, "block": "depthwise", "skip": "add", "norm": "group"}),
    Choice("encoder_decoder", {"depth": 3, "width": 8, "deep_supervision": True, "upsample": "transpose"}),
    Choice("encoder_decoder", {"depth": 1, "width": 4, "norm": "instance", "activation": "prelu"}),
    Choice("lite", {"depth": 3, "width": 8}),
    Choice("lite", {"depth": 4, "width": 8, "deep_supervision": True, "ellipse": True}),
    Choice("lite", {"depth": 2, "width": 8, "norm": "group", "activation": "silu", "dropout": 0.1}),
    Choice("unet", {"depth": 3, "width": 8}),
    Choice("unet", {"depth": 2, "width": 8, "norm": "none", "upsample": "bilinear", "activation": "elu"}),
    Choice("smp", {"encoder": "mobilenet_v2", "depth": 4, "width": 8}),
    Choice("smp", {"encoder": "tu-mobilenetv3_small_050", "depth": 5, "width": 8}),
    Choice("smp", {"architecture": "fpn", "encoder": "resnet18", "depth": 5}),
    Choice("smp", {"architecture": "deeplabv3plus", "encoder": "resnet18", "depth": 5}),
]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_logits_have_the_images_size_whatever_it_is(choice):
    network = build_network(choice).eval()
    for height, width in ((64, 96), (33, 47), (50, 61), (5, 3)):
        with torch.no_grad():
            logits = network(torch.rand(2, 1, height, width))
        assert logits.shape == (2, 1, height, width)
        assert torch.isfinite(logits).all()


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_one_batch_is_learned_by_heart(choice):
    torch.manual_seed(1)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    target = torch.stack([((x - c) ** 2 / 400 + (y - 32) ** 2 / 200 < 1).float() for c in (24, 40)])[:, None]
    images = target - 0.5 + 0.3 * torch.randn(2, 1, 64, 64)
    network = build_network(choice).train()
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    dice = torch.tensor(0.0)
    for _ in range(150):
        outputs = network(images)
        optimizer.zero_grad()
        deep_supervision_loss(bce_dice, outputs, target).backward()
        optimizer.step()
        metric = HeadDice()
        finest = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
        metric.update(count_overlap(finest > 0, target > 0.5))
        dice = metric.compute()
        if dice > 0.97:
            break
    assert dice > 0.97


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_checkpoint_round_trip(choice, tmp_path):
    torch.manual_seed(2)
    network = build_network(choice).eval()
    state = {f"{PREFIX}{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": state, KEY: described(choice).to_dict()}, tmp_path / "x.ckpt")
    again = read_checkpoint(tmp_path / "x.ckpt").build_network()
    images = torch.rand(1, 1, 48, 48)
    with torch.no_grad():
        assert torch.equal(network(images), again(images))


def test_names_are_found_in_the_folder():
    assert {"encoder_decoder", "lite", "unet", "smp"} <= set(NETWORKS.names())
