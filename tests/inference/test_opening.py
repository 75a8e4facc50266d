import numpy as np
import pytest

from fetal_seg.errors import InputError
from fetal_seg.inference.opening import open_runtime
from fetal_seg.models.checkpoint import read_checkpoint


def test_a_checkpoint_is_opened_by_its_name_or_as_it_was_read():
    checkpoint = read_checkpoint("pretrained")
    size = checkpoint.description.preprocessing
    image = np.full((1, size.height, size.width), 90, np.uint8)
    by_name, read = (open_runtime(of, "cpu", "32-true") for of in ("pretrained", checkpoint))
    assert by_name.preprocessing == read.preprocessing == size
    assert by_name.calibration == checkpoint.description.calibration
    np.testing.assert_array_equal(by_name.look(image).logits, read.look(image).logits)


def test_what_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        open_runtime(tmp_path / "x.ckpt")
