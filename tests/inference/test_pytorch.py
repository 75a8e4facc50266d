import numpy as np
import pytest
import torch
from torch import nn

from fetal_seg.config.choices import Choice
from fetal_seg.inference.pytorch import PyTorchRuntime
from fetal_seg.models.building import build_network
from fetal_seg.models.preprocessing import Preprocessing

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 48), dtype=np.uint8)
CPU = torch.device("cpu")


def test_a_network_sees_grey_values_as_its_training_scaled_them():
    logits = PyTorchRuntime(nn.Identity(), Preprocessing(32, 48, 0.3, 0.2), CPU, "32-true").look(IMAGES).logits
    assert (logits.shape, logits.dtype) == (IMAGES.shape, np.float32)
    np.testing.assert_allclose(logits, (IMAGES / 255 - 0.3) / 0.2, atol=1e-5)


@pytest.mark.parametrize(("precision", "tolerance"), [("32-true", 1e-4), ("bf16-mixed", 0.1)])
def test_logits_are_those_of_the_network_in_single_precision(precision, tolerance):
    torch.manual_seed(0)
    network = build_network(Choice("encoder_decoder", {"depth": 2, "width": 4})).eval()
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGES)[:, None].float() / 255)[:, 0].numpy()
    logits = PyTorchRuntime(network, Preprocessing(32, 48, 0.0, 1.0), CPU, precision).look(IMAGES).logits
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected, atol=tolerance)
