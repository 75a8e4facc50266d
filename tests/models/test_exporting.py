"""The graph of an export: the network as it is, with the scaling of grey values."""

import numpy as np
import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.models.building import build_network
from fetal_seg.models.exporting import GreyToLogits, check_packages
from fetal_seg.models.preprocessing import Preprocessing, normalise


@pytest.mark.parametrize("name", ["encoder_decoder", "unet", "lite"])
def test_the_graph_computes_what_the_network_does(name):
    torch.manual_seed(0)
    network = build_network(Choice(name, {"width": 4})).eval()
    made = Preprocessing(64, 96, 0.2, 0.3)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 64, 96), np.uint8))
    with torch.inference_mode():
        expected = network(normalise(images[:, None], 0.2, 0.3))[:, 0]
        logits, *features = GreyToLogits(network, made)(images)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert all(level.shape[0] == 2 for level in features)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"nncf: pip install 'fetal_seg\[openvino\]'"):
        check_packages("openvino", "int8")
