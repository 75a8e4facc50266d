import pytest

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.models.building import build_network


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
