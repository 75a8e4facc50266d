import json
from pathlib import Path

import pytest

from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.description import FORMAT, CheckpointDescription

OLD = Path(__file__).parent / "format_1.ckpt"  # of commit b9cc1f3: 25 epochs on 60 phantoms, calibrated on 80 others


def test_a_description_comes_back_from_plain_data():
    description = read_checkpoint(OLD).description
    content = description.to_dict()
    assert CheckpointDescription.from_dict(content) == description
    assert json.loads(json.dumps(content)) == content
    assert content["format"] == FORMAT
    assert list(content["calibration"]["confidence"]) == ["review_below", "reject_below"]


@pytest.mark.parametrize("number", [1, 2])
def test_an_encoder_decoder_of_an_earlier_format_works_at_full_size(number):
    content = read_checkpoint(OLD).description.to_dict()
    network = {key: value for key, value in content["network"].items() if key != "stem"}
    earlier = CheckpointDescription.from_dict({**content, "format": number, "network": network})
    assert earlier.network.keys["stem"] == "full"
    assert earlier == read_checkpoint(OLD).description


def test_other_networks_of_an_earlier_format_get_no_stem():
    content = read_checkpoint(OLD).description.to_dict()
    network = {"name": "unet", "depth": 3}
    earlier = CheckpointDescription.from_dict({**content, "format": 2, "network": network})
    assert earlier.to_dict()["network"] == network
