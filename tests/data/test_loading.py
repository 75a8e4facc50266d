from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_seg.config.choices import Choice
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.sources import phantom
from fetal_seg.errors import InputError


def test_a_source_gets_the_keys_it_takes_and_no_others(tmp_path):
    keys = {"images": 5, "test_images": 0, "phantom_seed": 1, "root": None}
    data = {"name": "phantom", **keys, "cache_dir": "elsewhere", "split": "kfold", "fingerprint": "0"}
    records = load_records(Choice.from_dict(data), tmp_path)
    assert records == phantom.load(**keys, cache_dir=tmp_path)
    assert len(records) == 5
    assert not Path("elsewhere").exists()


def test_a_root_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.png", "a_mask.png"):
        Image.fromarray(np.full((9, 9), 9, np.uint8)).save(tmp_path / name)
    assert [record.name for record in load_records(Choice("folder", {"root": "~"}), tmp_path)] == ["a.png"]


def test_an_unknown_source_is_refused_with_those_that_are_known(tmp_path):
    with pytest.raises(InputError, match="data source 'hc19' is unknown; take one of folder, hc18, phantom"):
        load_records(Choice("hc19"), tmp_path)


@pytest.mark.parametrize("keys", [{}, {"root": None}, {"root": ""}])
def test_a_source_that_needs_a_root_says_so(tmp_path, keys):
    with pytest.raises(InputError, match=r"data\.name=hc18: data\.root must have a value"):
        load_records(Choice("hc18", {"download": False, **keys}), tmp_path)


def test_a_cache_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be created.*cache_dir"):
        cache_folder(str(tmp_path / "file" / "cache"))
