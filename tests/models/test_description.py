import json
from pathlib import Path

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
