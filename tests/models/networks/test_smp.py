import pytest

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.models.building import build_network


def test_imagenet_weights_that_cannot_be_fetched_are_told(monkeypatch):
    import urllib.error

    import segmentation_models_pytorch as smp

    def offline(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setitem(smp.MODEL_ARCHITECTURES_MAPPING, "unet", offline)
    with pytest.raises(InputError, match="cannot be fetched.*model.weights=none"):
        build_network(Choice("smp", {"encoder": "resnet18", "weights": "imagenet"}))
