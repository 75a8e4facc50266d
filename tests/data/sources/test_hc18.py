import errno
import hashlib
import logging
import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetal_seg.data import download
from fetal_seg.data.sources import hc18
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse

NAMES = ["0012_2HC.png", "0012_HC.png", "1500_HC.png", "7_HC.png"]  # as other data of this layout may be numbered
PIXEL_SIZE_MM = 0.2
TRAINING_CSV, TEST_CSV = "training_set_pixel_size_and_HC.csv", "test_set_pixel_size.csv"


def outline(index: int) -> Ellipse:
    return Ellipse(60 + index, 40, 40, 30 - index, 0.1 * index)


def write_training(root: Path) -> Path:
    """A data set of four images, extracted, with the CSV beside it."""
    folder = root / "training_set"
    folder.mkdir(parents=True)
    rows = ["filename,pixel size(mm),head circumference (mm)"]
    for index, name in enumerate(NAMES):
        ellipse = outline(index)
        drawn = np.zeros((80, 120), np.uint8)
        cv2.imwrite(str(folder / name), drawn + 30)
        cv2.polylines(drawn, [np.rint(ellipse.points(200)).astype(np.int32)], isClosed=True, color=255)
        cv2.imwrite(str(folder / name.replace(".png", "_Annotation.png")), drawn)
        rows.append(f"{name},{PIXEL_SIZE_MM},{ellipse.circumference * PIXEL_SIZE_MM:.2f}")
    (root / TRAINING_CSV).write_bytes("\r\n".join(rows).encode())
    return root


def pack(root: Path, part: str = "training_set", *, keep: bool = False) -> Path:
    shutil.make_archive(str(root / part), "zip", root, part)
    if not keep:
        shutil.rmtree(root / part)
    return root


def edit_csv(root: Path, old: str, new: str) -> None:
    path = root / TRAINING_CSV
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_training(tmp_path / "data")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def zenodo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for Zenodo: the download goes there, and its files are the official ones."""
    folder = pack(write_training(tmp_path / "zenodo"))
    monkeypatch.setattr(download, "FILES_ADDRESS", folder.as_uri())
    for path in folder.iterdir():
        monkeypatch.setitem(download.MD5, path.name, hashlib.md5(path.read_bytes()).hexdigest())
    return folder


def make_read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a read-only file system, which binds even root: nothing can be created in `folder`."""
    original = os.open

    def refuse(path, flags, *args, **kwargs):
        if flags & os.O_RDWR and folder in (Path(str(path)), *Path(str(path)).parents):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return original(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)


def load(root: Path, cache: Path, *, may_download: bool = False) -> list:
    return hc18.load(root, cache, download=may_download)


def message_of(root: Path, cache: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(root, cache)
    return str(caught.value)


def test_folder(root, cache):
    records = load(root, cache)
    assert [record.name for record in records] == sorted(NAMES)
    assert [record.examination for record in records] == ["0012", "0012", "1500", "7"]
    assert {record.pixel_size_mm for record in records} == {PIXEL_SIZE_MM}
    assert records[0].image == root / "training_set" / "0012_2HC.png"
    assert not cache.exists()
    for index, record in enumerate(records):
        truth, size = record.read_truth()
        assert size == record.read_image().shape == (80, 120)
        assert truth.circumference == pytest.approx(outline(index).circumference, rel=0.01)


@pytest.mark.parametrize("has_own_folder", [True, False])
def test_archive(root, cache, has_own_folder):
    from_folder = load(root, cache)
    if has_own_folder:
        pack(root)
    else:
        shutil.make_archive(str(root / "training_set"), "zip", root / "training_set")
        shutil.rmtree(root / "training_set")
    before = sorted(root.rglob("*"))
    records = load(root, cache)
    assert [record.name for record in records] == [record.name for record in from_folder]
    assert all(cache in record.image.parents for record in records)
    assert records[0].read_truth() == load(root, cache)[0].read_truth()
    assert sorted(root.rglob("*")) == before


def test_folder_goes_before_archive(root, cache):
    pack(root, keep=True)
    assert root / "training_set" in load(root, cache)[0].image.parents


def test_test_images(root, cache):
    pack(root)
    folder = root / "test_set"
    folder.mkdir()
    (folder / "000_HC.png").write_bytes(b"not decoded here")
    (root / TEST_CSV).write_text("filename,pixel size(mm)\n000_HC.png,0.25\n")
    for is_packed in (False, True):
        if is_packed:
            pack(root, "test_set")
        (record,) = hc18.load_part(hc18.TEST, root, cache, download=False)
        assert (record.name, record.examination, record.annotation, record.pixel_size_mm) == (
            "000_HC.png",
            "000",
            None,
            0.25,
        )


def test_hidden_files_and_other_types_are_no_images(root, cache):
    for name in ("._7_HC.png", "Thumbs.db", "readme.txt"):
        (root / "training_set" / name).write_bytes(b"")
    assert len(load(root, cache)) == 4


def test_note_on_an_archive_that_is_not_zenodos_comes_once(root, cache, caplog, monkeypatch):
    pack(root)
    caplog.set_level(logging.INFO)
    load(root, cache)
    assert "training_set.zip is not the file on Zenodo" in caplog.text
    assert "4 images" in caplog.text
    caplog.clear()
    monkeypatch.setattr(download, "md5_of", lambda _: pytest.fail("read it all again"))
    load(root, cache)
    assert not caplog.records


def test_no_note_on_zenodos_own_archive(zenodo, cache, caplog):
    caplog.set_level(logging.INFO)
    load(zenodo, cache)
    assert not caplog.records


def test_missing_files_are_downloaded_into_a_root_that_is_created(zenodo, cache, tmp_path):
    root = tmp_path / "new" / "root"
    assert len(load(root, cache, may_download=True)) == 4
    assert sorted(path.name for path in root.iterdir()) == ["training_set.zip", TRAINING_CSV]
    assert len(load(root, cache)) == 4


@pytest.mark.parametrize("there", ["training_set", "training_set.zip", TRAINING_CSV])
def test_only_what_is_missing_is_downloaded(zenodo, root, cache, there, monkeypatch):
    pack(root, keep=True)
    for path in root.iterdir():
        if path.name != there:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    fetched, original = [], download.fetch
    monkeypatch.setattr(download, "fetch", lambda name, folder: fetched.append(name) or original(name, folder))
    assert len(load(root, cache, may_download=True)) == 4
    assert fetched == (["training_set.zip"] if there == TRAINING_CSV else [TRAINING_CSV])


def test_nothing_is_downloaded_when_all_is_there(root, cache, monkeypatch):
    monkeypatch.setattr(download, "fetch", lambda *_: pytest.fail("downloaded"))
    load(root, cache, may_download=True)
    load(pack(root), cache, may_download=True)


def test_read_only_root_with_archives(root, cache, monkeypatch):
    pack(root)
    make_read_only(root, monkeypatch)
    assert len(load(root, cache)) == 4
    assert len(load(root, cache, may_download=True)) == 4


def test_read_only_root_that_lacks_files(zenodo, tmp_path, cache, monkeypatch):
    root = tmp_path / "data"
    root.mkdir()
    make_read_only(root, monkeypatch)
    assert len(load(root, cache, may_download=True)) == 4
    assert list(root.iterdir()) == []
    assert sorted(path.name for path in (cache / "hc18").iterdir()) == ["training_set.zip", TRAINING_CSV]
    shutil.rmtree(zenodo)
    assert len(load(root, cache, may_download=True)) == 4, "a later start needs no network"


def test_missing_root(tmp_path, cache):
    message = message_of(tmp_path / "nowhere", cache)
    assert "nowhere: there is no such folder" in message
    assert "data.download=true" in message
    assert "data=phantom" in message
    assert not (tmp_path / "nowhere").exists()


def test_missing_root_offline_is_not_left_behind(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(download, "FILES_ADDRESS", (tmp_path / "nothing").as_uri())
    with pytest.raises(InputError, match="cannot be downloaded.*by hand.*data=phantom"):
        load(tmp_path / "new" / "root", cache, may_download=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["training_set.zip", TRAINING_CSV])
def test_missing_file(root, cache, missing):
    pack(root)
    (root / missing).unlink()
    assert f"has no {missing};" in message_of(root, cache)


def test_truncated_archive(root, cache):
    archive = pack(root) / "training_set.zip"
    archive.write_bytes(archive.read_bytes()[:-100])
    assert re.search(r"training_set\.zip: the archive cannot be read .* download it again", message_of(root, cache))
    assert not list(cache.rglob("*.png"))


def test_folder_without_images(root, cache):
    for path in (root / "training_set").iterdir():
        path.unlink()
    assert "holds no PNG file" in message_of(root, cache)


def test_archive_without_images(root, cache):
    shutil.rmtree(root / "training_set")
    (root / "training_set").mkdir()
    (root / "training_set" / "readme.txt").touch()
    pack(root)
    assert "holds no PNG file" in message_of(root, cache)


def test_image_without_row(root, cache):
    edit_csv(root, "1500_HC.png,0.2,", "")
    message = message_of(root, cache)
    assert "there is no row for 1500_HC.png; each image needs one" in message


def test_row_without_image(root, cache):
    for path in (root / "training_set").glob("7_HC*"):
        path.unlink()
    assert "there is no image 7_HC.png, which has a row in" in message_of(root, cache)


def test_image_without_annotation(root, cache):
    (root / "training_set" / "7_HC_Annotation.png").unlink()
    message = message_of(root, cache)
    assert "7_HC.png has no annotation" in message
    assert "\n" not in message


def test_annotation_without_image(root, cache):
    (root / "training_set" / "9_HC_Annotation.png").touch()
    assert "9_HC_Annotation.png has no image" in message_of(root, cache)


def test_name_without_examination(root, cache):
    for path in (root / "training_set").glob("7_HC*"):
        path.rename(path.with_name(path.name.replace("7_HC", "HC7")))
    edit_csv(root, "7_HC.png", "HC7.png")
    assert "the name of HC7.png does not begin with the number" in message_of(root, cache)


@pytest.mark.parametrize("value", ["0", "-0.1", "nan", "inf", "wide", ""])
def test_bad_pixel_size(root, cache, value):
    edit_csv(root, "7_HC.png,0.2,", f"7_HC.png,{value},")
    message = message_of(root, cache)
    assert "7_HC.png" in message
    assert value in message
    assert "positive number of millimetres; correct the row" in message
    assert "\n" not in message


def test_row_that_ends_before_its_pixel_size(root, cache):
    edit_csv(root, "\r\n7_HC.png,0.2,", "\r\n7_HC.png\r\n")
    assert "7_HC.png has no pixel size" in message_of(root, cache)


def test_row_without_name(root, cache):
    edit_csv(root, "7_HC.png,", ",")
    message = message_of(root, cache)
    assert "a row has no file name (,0.2," in message
    assert "there is no row for 7_HC.png" in message


def test_two_rows_for_one_image(root, cache):
    edit_csv(root, "\r\n7_HC.png", "\r\n1500_HC.png,0.3,1\r\n1500_HC.png,0.3,1\r\n7_HC.png")
    assert "more than one row for 1500_HC.png; each" in message_of(root, cache)


def test_all_problems_are_told_at_once_and_names_are_counted(root, cache):
    edit_csv(root, "7_HC.png,0.2", "7_HC.png,0")
    edit_csv(root, "1500_HC.png,0.2", "1500_HC.png,x")
    (root / "training_set" / "0012_HC_Annotation.png").unlink()
    for number in range(20, 40):
        shutil.copy(root / "training_set" / "7_HC.png", root / "training_set" / f"{number}_HC.png")
    lines = message_of(root, cache).splitlines()
    assert len(lines) == 3
    assert "1500_HC.png is 'x'" in lines[0]
    assert lines[0].endswith("(likewise 7_HC.png)")
    assert "no row for 20_HC.png, 21_HC.png, 22_HC.png, 23_HC.png, 24_HC.png and 15 more" in lines[1]
    assert "0012_HC.png, 20_HC.png" in lines[2]
