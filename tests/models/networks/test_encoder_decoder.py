import torch

from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network, count_parameters


def test_depth_is_cheap_in_our_network_and_dear_in_the_unet():
    sizes = {
        name: [count_parameters(build_network(Choice(name, {"depth": depth}))) for depth in (3, 4, 5)]
        for name in ("encoder_decoder", "unet")
    }
    ours, unet = sizes["encoder_decoder"], sizes["unet"]
    assert ours[0] < ours[1] < ours[2] < 3e6
    assert unet[2] > 3.5 * unet[1]


def test_deep_supervision_gives_three_levels_in_training_and_one_after():
    network = build_network(Choice("encoder_decoder", {"depth": 3, "width": 4, "deep_supervision": True}))
    assert [tuple(level.shape[-2:]) for level in network.train()(torch.rand(1, 1, 48, 40))] == [
        (48, 40),
        (24, 20),
        (12, 10),
    ]
    assert network.eval()(torch.rand(1, 1, 48, 40)).shape == (1, 1, 48, 40)


def test_dropout_acts_in_training_alone():
    network = build_network(Choice("encoder_decoder", {"depth": 2, "width": 8, "dropout": 0.5}))
    images = torch.rand(1, 1, 32, 32)
    assert not torch.equal(network.train()(images), network(images))
    assert torch.equal(network.eval()(images), network(images))
