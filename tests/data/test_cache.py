"""Each image is decoded once."""

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetal_seg.data.cache import build_cache
from fetal_seg.data.records import Record
from fetal_seg.errors import InputError
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.images.grey import write_image
from tests.data.made_records import make_records
from tests.forking import forking_context


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
    write_image(records[2].image, picture)
    changed, decoded = build()
    assert decoded == 4
    assert changed.fingerprint != first.fingerprint
    outline = cv2.imread(str(records[1].annotation), 0)
    write_image(records[1].annotation, np.roll(outline, 1, axis=1))
    again, decoded = build()
    assert decoded == 4
    assert again.ellipses()[1].center_x == pytest.approx(changed.ellipses()[1].center_x + 1, abs=0.01)


def test_an_image_without_a_head_has_an_empty_mask_and_no_ellipse(tmp_path):
    records = make_records(tmp_path / "a", 4)
    bare = replace(records[2], annotation=None, shows_head=False)
    cache = build_cache([*records[:2], bare, records[3]], Letterbox(64, 96), tmp_path / "cache")
    assert [ellipse is None for ellipse in cache.ellipses()] == [False, False, True, False]
    assert not cache.mask(2).any()
    assert cache.mask(3).any()
    assert np.array_equal(cache.image(2), Letterbox(64, 96).apply(bare.read_image()))


def test_an_annotation_that_is_missing_is_an_error_also_where_the_same_image_was_kept_without_a_head(tmp_path):
    (record,) = make_records(tmp_path / "a", 1)
    missing = replace(record, annotation=None)
    build_cache([replace(missing, shows_head=False)], Letterbox(64, 96), tmp_path / "cache")
    with pytest.raises(InputError, match="has no annotation"):
        build_cache([missing], Letterbox(64, 96), tmp_path / "cache")


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
    write_image(records[0].annotation, np.zeros((54, 80), np.uint8))
    write_image(records[3].annotation, np.full((10, 10), 255, np.uint8))
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
    context = forking_context()
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
