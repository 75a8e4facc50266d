"""From records to batches: preprocessing, cache, augmentation, data module."""

import logging
import multiprocessing
import os
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetal_seg.data.augmentation.pipeline import Augmentation
from fetal_seg.data.cache import build_cache
from fetal_seg.data.records import Record
from fetal_seg.data.split_rule import SplitRule
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import measure_head
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.images.grey import write_png
from fetal_seg.training.datamodule import EpochSampler, HeadDataModule


def make_records(folder: Path, count: int, shape=(54, 80), seed=0) -> list[Record]:
    """Records of noise with an ellipse each, outlines as HC18's; two images an examination."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for index in range(count):
        ellipse = Ellipse(40 + rng.uniform(-5, 5), 27 + rng.uniform(-4, 4), rng.uniform(15, 20), 12, rng.uniform(-1, 1))
        image = (rng.integers(0, 120, shape) + 100 * ellipse.coverage(*shape)).astype(np.uint8)
        outline = np.zeros(shape, np.uint8)
        points = np.rint(ellipse.points(400)).astype(int)
        outline[points[:, 1], points[:, 0]] = 255
        name = f"{index // 2:03d}_{index % 2 + 1}HC"
        write_png(folder / f"{name}.png", image)
        write_png(folder / f"{name}_Annotation.png", outline)
        records.append(
            Record(
                f"{name}.png", name[:3], folder / f"{name}.png", folder / f"{name}_Annotation.png", rng.uniform(0.5, 3)
            )
        )
    return records


def cached(records, folder):
    return build_cache(records, Letterbox(64, 96), folder / "cache")


@pytest.mark.parametrize("shape", [(540, 800), (563, 738), (300, 200), (100, 100), (64, 2000)])
def test_letterbox_moves_an_ellipse_with_its_image(shape):
    """The mask of a scaled image is the scaled mask, to a part of a pixel, at any size and aspect ratio."""
    height, width = shape
    box = Letterbox(192, 288)
    ellipse = Ellipse(0.45 * width, 0.55 * height, 0.3 * min(shape), 0.2 * min(shape), 0.6)
    scaled_mask = box.apply(np.rint(255 * ellipse.coverage(*shape)).astype(np.uint8))
    moved = ellipse.transform(box.to_network(*shape))
    found = measure_head(scaled_mask.astype(float), 127.5, np.eye(2, 3), smallest_area=1)
    assert astuple(found)[:4] == pytest.approx(astuple(moved)[:4], abs=0.06)
    back = moved.transform(box.to_native(*shape))
    assert back.circumference == pytest.approx(ellipse.circumference, rel=1e-9)
    assert (back.center_x, back.center_y) == pytest.approx((ellipse.center_x, ellipse.center_y))


def test_letterbox_undo_gives_the_map_at_the_images_size():
    box, shape = Letterbox(192, 288), (563, 738)
    ellipse = Ellipse(300, 280, 170, 120, 0.4)
    small = ellipse.transform(box.to_network(*shape)).coverage(192, 288)
    mask = box.undo(small, *shape) > 0.5
    truth = ellipse.rasterise(*shape)
    assert 2 * (mask & (truth > 0)).sum() / (mask.sum() + truth.sum()) > 0.998


def test_cache_holds_images_masks_and_truth(tmp_path):
    records = make_records(tmp_path / "a", 4)
    cache = build_cache(records, Letterbox(64, 96), tmp_path / "cache")
    for index, record in enumerate(records):
        truth, shape = record.read_truth()
        assert cache.ellipses()[index] == truth
        assert np.array_equal(cache.image(index), Letterbox(64, 96).apply(record.read_image()))
        scaled = truth.transform(Letterbox(64, 96).to_network(*shape))
        assert cache.mask(index).sum() / 255 == pytest.approx(scaled.area, rel=0.01)


def test_cache_is_built_once_and_again_when_content_or_size_changes(tmp_path, monkeypatch):
    records = make_records(tmp_path / "a", 4)
    reads = []
    monkeypatch.setattr(
        Record, "read_image", lambda self, real=Record.read_image: reads.append(self.name) or real(self)
    )

    def build(size=(64, 96)):
        reads.clear()
        return build_cache(records, Letterbox(*size), tmp_path / "cache"), len(reads)

    first, decoded = build()
    assert decoded == 4
    assert build() == (first, 0)
    _, decoded = build((32, 48))
    assert decoded == 4
    picture = records[2].read_image()
    picture[0, 0] ^= 255
    write_png(records[2].image, picture)
    changed, decoded = build()
    assert decoded == 4
    assert changed.fingerprint != first.fingerprint
    outline = cv2.imread(str(records[1].annotation), 0)
    write_png(records[1].annotation, np.roll(outline, 1, axis=1))
    again, decoded = build()
    assert decoded == 4
    assert again.ellipses()[1].center_x == pytest.approx(changed.ellipses()[1].center_x + 1, abs=0.01)


def test_a_build_that_fails_leaves_no_cache(tmp_path):
    records = make_records(tmp_path / "a", 4)
    whole = records[1].image.read_bytes()
    records[1].image.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="000_2HC.png.*cannot be read"):
        build_cache(records, Letterbox(64, 96), tmp_path / "cache")
    assert list((tmp_path / "cache" / "images").iterdir()) == []
    records[1].image.write_bytes(whole)
    assert len(build_cache(records, Letterbox(64, 96), tmp_path / "cache").ellipses()) == 4


def test_all_bad_records_are_told(tmp_path):
    records = make_records(tmp_path / "a", 6)
    write_png(records[0].annotation, np.zeros((54, 80), np.uint8))
    write_png(records[3].annotation, np.full((10, 10), 255, np.uint8))
    records[5].image.write_bytes(b"")
    with pytest.raises(InputError) as caught:
        build_cache(records, Letterbox(64, 96), tmp_path / "cache")
    told = str(caught.value)
    assert "the annotation is empty" in told
    assert "is 10 x 10 px but its image is 80 x 54 px" in told
    assert "002_2HC.png" in told


def _build(folder, cache_dir):
    logging.basicConfig(filename=cache_dir.parent / f"{os.getpid()}.log", level=logging.INFO)
    names = sorted(path.stem for path in Path(folder).glob("*HC.png"))
    records = [Record(f"{n}.png", n[:3], folder / f"{n}.png", folder / f"{n}_Annotation.png", 1.0) for n in names]
    build_cache(records, Letterbox(64, 96), cache_dir)


def test_of_two_processes_one_decodes(tmp_path):
    make_records(tmp_path / "a", 30)
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=_build, args=(tmp_path / "a", tmp_path / "cache")) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    assert [job.exitcode for job in jobs] == [0, 0]
    assert len(list((tmp_path / "cache" / "images").iterdir())) == 1
    assert "".join(log.read_text() for log in tmp_path.glob("*.log")).count("decoded 30 images") == 1


def test_memory_does_not_grow_with_the_images_read(tmp_path):
    """A data set of 190 MB is read through; the process's peak rises by a small part of that."""
    shape = (3000, 256, 256)
    for name in ("images", "masks"):
        array = np.lib.format.open_memmap(tmp_path / f"{name}.npy", "w+", np.uint8, shape)
        array.flush()
        del array
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom fetal_seg.data.cache import ImageCache\n"
        f"cache = ImageCache(Path({str(tmp_path)!r}), '')\ncache.image(0)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for index in range(3000): cache.image(index)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 20e6


def test_augmentation_moves_image_and_mask_alike():
    ellipse = Ellipse(140, 100, 60, 40, 0.3)
    coverage = np.rint(255 * ellipse.coverage(192, 288)).astype(np.uint8)
    augmenter = Augmentation(gamma=1.0, contrast=0.0).build()
    for seed in range(20):
        image, mask = augmenter(coverage.copy(), coverage.copy(), seed)
        assert image.shape == mask.shape == (192, 288)
        assert np.abs(image.astype(int) - mask).max() <= 2
    assert len({augmenter(coverage, coverage, seed)[1].tobytes() for seed in range(20)}) == 20


def test_augmentation_is_a_function_of_its_seed_and_can_be_turned_off():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 255, (2, 96, 128), dtype=np.uint8)
    keys = {"noise": 0.2, "blur": 1.5, "aspect": 1.2}
    one, other = Augmentation(**keys).build(), Augmentation(**keys).build()
    other(image, mask, 99)
    assert all(np.array_equal(a, b) for a, b in zip(one(image, mask, 5), other(image, mask, 5), strict=True))
    assert not np.array_equal(one(image, mask, 5)[0], one(image, mask, 6)[0])
    still = Augmentation(enabled=False, **keys).build()(image, mask, 5)
    assert np.array_equal(still[0], image)
    assert np.array_equal(still[1], mask)


def test_grey_augmentation_leaves_the_mask_alone():
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 255, (2, 96, 128), dtype=np.uint8)
    grey = Augmentation(flip=False, rotation_deg=0, scale=1, shift=0, noise=0.2, blur=1.0).build()
    changed = [grey(image, mask, seed) for seed in range(8)]
    assert all(np.array_equal(m, mask) for _, m in changed)
    assert any(not np.array_equal(i, image) for i, _ in changed)


def test_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = EpochSampler(50, seed, shuffle=True)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 3) == order(0, 3)
    assert sorted(index for _, index in order(0, 3)) == list(range(50))
    assert [i for _, i in order(0, 3)] != [i for _, i in order(0, 4)]
    assert [i for _, i in order(0, 3)] != [i for _, i in order(1, 3)]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_the_number_of_workers(tmp_path, workers):
    records = make_records(tmp_path / "a", 20)

    def batches(count):
        data = HeadDataModule(
            records, cached(records, tmp_path), SplitRule(), Augmentation(), batch_size=5, workers=count
        )
        loader = data.train_dataloader()
        loader.sampler.set_epoch(2)
        return [(batch["image"].numpy().copy(), batch["mask"].numpy().copy()) for batch in loader]

    for (image, mask), (expected, truth) in zip(batches(workers), batches(0), strict=True):
        assert np.array_equal(image, expected)
        assert np.array_equal(mask, truth)
        assert image.dtype == np.uint8
        assert image.shape[1:] == (1, 64, 96)


def test_parts_are_cut_by_examination_and_limited(tmp_path):
    records = make_records(tmp_path / "a", 40)
    data = HeadDataModule(records, cached(records, tmp_path), SplitRule(seed=3), Augmentation(), batch_size=4, limit=3)
    assert len(data.split.train) == 32
    assert len(data.split.val) == 8
    assert len(data.train_records) == len(data.val_records) == 3
    assert not {name[:3] for name in data.split.train} & {name[:3] for name in data.split.val}


def module(records, folder, **rule):
    return HeadDataModule(
        records, cached(records, folder), SplitRule(**rule), Augmentation(enabled=False), batch_size=4
    )


def test_a_split_file_is_read_back(tmp_path):
    from fetal_seg.data.split_files import write_split

    records = make_records(tmp_path / "a", 20)
    first = module(records, tmp_path, seed=7)
    write_split(tmp_path / "split.json", first.split, {record.name: record.examination for record in records})
    again = module(records, tmp_path, seed=8, file=tmp_path / "split.json")
    assert again.split.val == first.split.val
    assert module(records, tmp_path, seed=8).split.val != first.split.val


def test_kfold_validates_each_image_once_and_random_tells_what_leaks(tmp_path, caplog):
    records = make_records(tmp_path / "a", 20)
    parts = [module(records, tmp_path, kind="kfold", folds=4, fold=fold).split.val for fold in range(4)]
    assert sorted(name for part in parts for name in part) == sorted(record.name for record in records)
    caplog.clear()
    split = module(records, tmp_path, kind="random").split
    trained = {name[:3] for name in split.train}
    sisters = sum(name[:3] in trained for name in split.val)
    assert f"{sisters} of 4 validation images" in caplog.text
