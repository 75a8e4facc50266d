"""The data module with plain Lightning, as in a notebook."""

import pytest
import torch

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.choices import Choice
from fetal_seg.config.data import FolderConfig, PhantomConfig
from fetal_seg.data.cache import build_cache
from fetal_seg.data.loading import PreparedImages
from fetal_seg.data.records import digests
from fetal_seg.errors import InputError
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.training.datamodule import HeadDataModule
from tests.data.made_records import make_records


def test_the_same_seed_gives_the_same_batches_and_another_one_others(cache_dir):
    def first(seed):
        config = PhantomConfig(images=24, test_images=3, height=64, width=96, cache_dir=str(cache_dir))
        data = HeadDataModule(config, seed=seed)
        data.setup("fit")
        return next(iter(data.train_dataloader()))["image"]

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_missing_data_are_told_when_they_are_prepared(tmp_path):
    data = HeadDataModule(FolderConfig(root=str(tmp_path / "none"), cache_dir=str(tmp_path)))
    with pytest.raises(InputError, match="there is no such folder"):
        data.prepare_data()


def module(records, folder, augmentation=None, **keys):
    """A data module of these records."""
    cache = build_cache(records, Letterbox(64, 96), folder / "cache")
    config = FolderConfig(root=str(folder), height=64, width=96, **keys)
    return HeadDataModule(config, augmentation, prepared=PreparedImages(tuple(records), cache))


def test_batches_do_not_depend_on_the_number_of_workers(tmp_path):
    records = make_records(tmp_path / "a", 20)

    def batches(workers):
        loader = module(records, tmp_path, batch_size=5, workers=workers).train_dataloader()
        loader.sampler.set_epoch(2)
        return [(batch["image"].clone(), batch["mask"].clone()) for batch in loader]

    for (image, mask), (expected, truth) in zip(batches(2), batches(0), strict=True):
        assert torch.equal(image, expected)
        assert torch.equal(mask, truth)
        assert image.dtype == torch.uint8
        assert image.shape[1:] == (1, 64, 96)


def test_parts_are_cut_by_examination_and_limited(tmp_path):
    data = module(make_records(tmp_path / "a", 40), tmp_path, split_seed=3, limit=3)
    assert len(data.split.train) == 32
    assert len(data.split.val) == 8
    assert len(data.train_records) == len(data.val_records) == 3
    assert not {name[:3] for name in data.split.train} & {name[:3] for name in data.split.val}


def test_augmentation_is_for_the_training_part_alone(tmp_path):
    records = make_records(tmp_path / "a", 20)
    moved, still = (module(records, tmp_path, Augmentation(enabled=on)) for on in (True, False))
    assert torch.equal(next(iter(moved.val_dataloader()))["image"], next(iter(still.val_dataloader()))["image"])
    assert not torch.equal(next(iter(moved.train_dataloader()))["image"], next(iter(still.train_dataloader()))["image"])


def test_a_split_file_is_read_back(tmp_path):
    from fetal_seg.data.split_files import write_split

    records = make_records(tmp_path / "a", 20)
    first = module(records, tmp_path, split_seed=7)
    write_split(tmp_path / "split.json", first.split, {record.name: record.examination for record in records})
    again = module(records, tmp_path, split_seed=8, split_file=str(tmp_path / "split.json"))
    assert again.split.val == first.split.val
    assert module(records, tmp_path, split_seed=8).split.val != first.split.val


def test_kfold_validates_each_image_once_and_random_tells_what_leaks(tmp_path, caplog):
    records = make_records(tmp_path / "a", 20)
    parts = [module(records, tmp_path, split="kfold", folds=4, fold=fold).split.val for fold in range(4)]
    assert sorted(name for part in parts for name in part) == sorted(record.name for record in records)
    caplog.clear()
    split = module(records, tmp_path, split="random").split
    trained = {name[:3] for name in split.train}
    sisters = sum(name[:3] in trained for name in split.val)
    assert f"{sisters} of 4 validation images" in caplog.text


def test_extra_images_train_beside_the_training_part_and_never_validate(tmp_path):
    records, more = make_records(tmp_path / "a", 20), make_records(tmp_path / "b", 7, seed=5)
    plain = module(records, tmp_path, batch_size=1)
    extra = PreparedImages(tuple(more), build_cache(more, Letterbox(64, 96), tmp_path / "cache"))
    prepared = PreparedImages(tuple(records), plain._prepared.cache, extra)
    config = FolderConfig(root=str(tmp_path), height=64, width=96, batch_size=1, balance=0.0, extra="b")
    data = HeadDataModule(config, Augmentation(enabled=False), prepared=prepared)
    assert data.split == plain.split
    assert data.fingerprint == plain.fingerprint
    masks = [batch["mask"][0, 0].numpy() for batch in data.train_dataloader()]
    assert len(masks) == len(plain.split.train) + 7
    assert all(any((mask == extra.cache.mask(row)).all() for mask in masks) for row in range(7))
    assert len(list(data.val_dataloader())) == len(plain.split.val)
    seen = {*digests([*data.train_records, *more])}
    assert set(data.describe(Choice("lite")).split.seen) == seen
