import pytest
import torch
from pydantic import ValidationError

from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.models.preprocessing import GREY_MEAN, GREY_STD, Preprocessing, normalise


def test_the_mean_becomes_nought_and_a_standard_deviation_one():
    batch = torch.tensor([0, 51, 255], dtype=torch.uint8)
    result = normalise(batch, mean=0.2, std=0.4)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, torch.tensor([-0.5, 0.0, 2.0]))
    torch.testing.assert_close(normalise(batch), (batch / 255 - GREY_MEAN) / GREY_STD)


def test_it_comes_back_from_plain_data_and_knows_its_letterbox():
    preprocessing = Preprocessing(64, 96, 0.1, 0.2)
    assert Preprocessing.from_dict(preprocessing.to_dict()) == preprocessing
    assert preprocessing.letterbox == Letterbox(64, 96)


@pytest.mark.parametrize("change", [{"height": 0}, {"width": 9.5}, {"std": 0.0}, {"mean": "0.1"}])
def test_what_no_network_sees_is_refused(change):
    with pytest.raises(ValidationError):
        Preprocessing.from_dict(Preprocessing(64, 96, 0.1, 0.2).to_dict() | change)
