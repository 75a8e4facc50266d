import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

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


@pytest.mark.parametrize(("stem", "depth"), [("full", 3), ("half", 4), ("half", 6)])
def test_deep_supervision_gives_three_levels_in_training_and_one_after(stem, depth):
    keys = {"depth": depth, "width": 4, "stem": stem, "deep_supervision": True}
    network = build_network(Choice("encoder_decoder", keys))
    assert [tuple(level.shape[-2:]) for level in network.train()(torch.rand(2, 1, 48, 40))] == [
        (48, 40),
        (24, 20),
        (12, 10),
    ]
    assert network.eval()(torch.rand(1, 1, 48, 40)).shape == (1, 1, 48, 40)


@settings(max_examples=25)
@given(
    st.sampled_from(["full", "half"]),
    st.integers(1, 5),
    st.sampled_from(["none", "add", "concat"]),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
def test_any_depth_and_size_give_logits_of_the_images_size(stem, depth, skip, size):
    network = build_network(Choice("encoder_decoder", {"depth": depth, "width": 2, "stem": stem, "skip": skip}))
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 1, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize("stem", ["full", "half"])
def test_depth_counts_the_halving_of_the_stem(stem):
    network = build_network(Choice("encoder_decoder", {"depth": 4, "width": 2, "stem": stem})).eval()
    shapes = []
    network.encoder[-1].register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[-2:])))
    network(torch.rand(1, 1, 64, 96))
    assert shapes == [(4, 6)]  # 1/2^4


def test_a_half_stem_takes_less_than_a_third_of_the_operations():
    def operations(stem):
        network = build_network(Choice("encoder_decoder", {"depth": 5, "width": 8, "stem": stem})).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.rand(1, 1, 64, 96))
        return counter.get_total_flops()

    assert operations("half") < operations("full") / 3


def test_the_default_has_about_two_million_parameters():
    assert 1.8e6 < count_parameters(build_network(Choice("encoder_decoder"))) < 2.2e6


def test_dropout_acts_in_training_alone():
    network = build_network(Choice("encoder_decoder", {"depth": 2, "width": 8, "dropout": 0.5}))
    images = torch.rand(1, 1, 32, 32)
    assert not torch.equal(network.train()(images), network(images))
    assert torch.equal(network.eval()(images), network(images))
