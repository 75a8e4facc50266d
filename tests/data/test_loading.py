from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_seg.config.choices import Choice
from fetal_seg.config.data import FolderConfig, PhantomConfig
from fetal_seg.data.cache import build_cache
from fetal_seg.data.loading import PreparedImages, cache_folder, load_records, prepare_images
from fetal_seg.data.sources import phantom
from fetal_seg.data.split_files import write_split
from fetal_seg.data.splits import SplitImage, split_examinations, split_inner, split_kfold, split_random
from fetal_seg.errors import InputError
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement.biometry import trimester
from tests.data.made_records import make_records


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


def test_what_becomes_of_images_without_a_mask_holds_for_further_images_too(tmp_path):
    make_records(tmp_path / "own", 3)[2].annotation.unlink()
    keys = {"root": str(tmp_path / "own"), "extra": str(tmp_path / "own"), "cache_dir": str(tmp_path / "cache")}
    with pytest.raises(InputError, match=r"001_1HC.png has no mask"):
        prepare_images(FolderConfig(**keys))
    prepared = prepare_images(FolderConfig(**keys, unlabelled="no_head"))
    assert [record.shows_head for record in prepared.extra.records] == [True, True, False]
    assert len(prepare_images(FolderConfig(**keys, unlabelled="skip")).extra.records) == 2


class TestSplit:
    @pytest.fixture
    def records(self, tmp_path):
        return make_records(tmp_path / "a", 40)

    @staticmethod
    def prepared(records, folder):
        return PreparedImages(tuple(records), build_cache(records, Letterbox(64, 96), folder / "cache"))

    @staticmethod
    def config(**keys):
        return FolderConfig(root="here", **keys)

    def test_each_kind_is_the_split_of_its_name_with_trimesters_as_strata(self, records, tmp_path):
        images = [
            SplitImage(
                record.name,
                record.examination,
                trimester(record.read_truth()[0].circumference * record.pixel_size_mm),
            )
            for record in records
        ]
        expected = {
            "examination": split_examinations(images, seed=3, val_fraction=0.3),
            "inner": split_inner(images, seed=3, val_fraction=0.3),
            "random": split_random(images, seed=3, val_fraction=0.3),
            "kfold": split_kfold(images, seed=3, folds=4, fold=1),
        }
        prepared = self.prepared(records, tmp_path)
        for kind, split in expected.items():
            config = self.config(split=kind, val_fraction=0.3, folds=4, fold=1)
            assert prepared.split(config, seed=3) == split
            assert prepared.split(self.config(split=kind, val_fraction=0.3, folds=4, fold=1, split_seed=3), 9) == split

    def test_without_pixel_sizes_all_are_of_one_stratum(self, records, tmp_path):
        images = [SplitImage(record.name, record.examination) for record in records]
        unsized = [replace(record, pixel_size_mm=None) for record in records]
        assert self.prepared(unsized, tmp_path).split(self.config(), 0) == split_examinations(images, seed=0)

    def test_images_without_a_head_are_a_stratum_of_their_own(self, records, tmp_path):
        bare = [replace(record, annotation=None, shows_head=False) for record in records[:10]]
        prepared = self.prepared([*bare, *records[10:]], tmp_path)
        assert prepared.strata[:10] == [0] * 10
        assert 0 not in prepared.strata[10:]
        split = prepared.split(self.config(), 0)
        assert sum(record.name in split.val for record in bare) == 2

    def test_a_file_goes_before_the_rule_and_must_fit(self, records, tmp_path):
        split = self.prepared(records, tmp_path).split(self.config(), 7)
        write_split(tmp_path / "split.json", split, {record.name: record.examination for record in records})
        config = self.config(split="kfold", split_file=str(tmp_path / "split.json"))
        assert self.prepared(records, tmp_path).split(config, 0) == split
        with pytest.raises(InputError, match="not in the data"):
            self.prepared(records[:30], tmp_path).split(config, 0)
