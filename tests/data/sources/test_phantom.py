import zipfile

import pytest

from fetal_seg.data.sources.phantom import load
from fetal_seg.errors import InputError

TRAINING, TEST = "training_set.zip", "test_set.zip"


def test_load_writes_a_set_once_and_reads_it(tmp_path):
    records = load(6, 1, 3, tmp_path / "cache", tmp_path / "set")
    written = (tmp_path / "set" / TRAINING).stat().st_mtime_ns
    again = load(6, 1, 3, tmp_path / "cache", tmp_path / "set")
    assert (tmp_path / "set" / TRAINING).stat().st_mtime_ns == written
    assert len(records) == 6
    assert [record.name for record in again] == [record.name for record in records]
    with pytest.raises(InputError, match="other phantoms"):
        load(5, 1, 3, tmp_path / "cache", tmp_path / "set")
    assert (tmp_path / "set" / TRAINING).stat().st_mtime_ns == written


def test_load_leaves_other_data_alone(tmp_path):
    with zipfile.ZipFile(tmp_path / TEST, "w") as archive:
        archive.writestr("test_set/000_HC.png", b"precious")
    before = (tmp_path / TEST).read_bytes()
    with pytest.raises(InputError, match="another folder"):
        load(5, 1, 0, tmp_path / "cache", tmp_path)
    assert (tmp_path / TEST).read_bytes() == before
