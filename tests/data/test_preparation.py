import numpy as np
import pytest

from fetal_seg.config.data import FolderConfig, PhantomConfig
from fetal_seg.data.preparation import prepare_images
from fetal_seg.errors import InputError
from fetal_seg.geometry.letterbox import Letterbox


def test_records_and_their_images_are_in_one_order_at_the_networks_size(tmp_path):
    config = PhantomConfig(images=5, test_images=0, height=64, width=96, cache_dir=str(tmp_path))
    prepared = prepare_images(config)
    assert len(prepared.records) == 5
    for index, record in enumerate(prepared.records):
        np.testing.assert_array_equal(prepared.cache.image(index), Letterbox(64, 96).apply(record.read_image()))
    assert prepare_images(config).records == prepared.records


def test_missing_data_are_told(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        prepare_images(FolderConfig(root=str(tmp_path / "none"), cache_dir=str(tmp_path)))
