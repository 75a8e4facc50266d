import os
import time
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_seg.commands.predict import inputs
from fetal_seg.commands.predict.input_list import InputFile
from fetal_seg.errors import InputError

DICOM = bytes(128) + b"DICM"


def find_inputs(given, cache):
    return list(inputs.find_inputs(given, cache))


def pixel_sizes(given, csv, size_mm, cache):
    """The sizes by name, of files that have one."""
    found = inputs.find_inputs(given, cache)
    inputs.find_sizes(found, csv, size_mm)
    return {file.name: file.pixel_size_mm for file in found if file.pixel_size_mm is not None}


def touch(folder: Path, *names: str, content: bytes = b"x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def scans(tmp_path):
    return tmp_path / "scans"


def names(files):
    return [file.name for file in files]


def write_csv(path: Path, sizes: dict[str, float]) -> Path:
    path.write_text("filename,pixel size(mm)\n" + "".join(f"{name},{size}\n" for name, size in sizes.items()))
    return path


# A file, a folder


def test_a_file_is_taken_whatever_its_suffix(scans, cache):
    touch(scans, "a.png", "b.xyz", "c_Annotation.png")
    for name in ("a.png", "b.xyz", "c_Annotation.png"):
        assert find_inputs(str(scans / name), cache) == [InputFile(scans / name, name, scans / name)]


def test_a_folder_gives_all_that_can_be_measured_below_it_by_name(scans, cache):
    taken = ["B.JPG", "a/1.dcm", "a/b/2.TIFF", "a/b/3.mp4", "a.png", "a/4.ima", "a/5.DICOM", "z.mkv"]
    touch(scans, *taken)
    touch(scans, "notes.txt", "sizes.csv", "a/x.json", "noimage", "1.2.3", "Thumbs.db")
    touch(scans, "IM0001", "1.2.840.113619.2", content=DICOM)
    found = find_inputs(str(scans), cache)
    assert names(found) == sorted([*taken, "IM0001", "1.2.840.113619.2"])
    assert all(file.path == scans / file.name and file.source == scans for file in found)


def test_what_is_hidden_and_what_is_no_image_of_its_own_is_left_out(scans, cache):
    touch(scans, "1_HC.png", "1_HC_Annotation.png", ".hidden.png", ".git/a.png", "sub/.b/c.png", "._1_HC.png")
    touch(scans, "DICOMDIR", "sub/dicomdir", content=DICOM)
    assert names(find_inputs(str(scans), cache)) == ["1_HC.png"]


def test_a_hidden_folder_that_is_given_is_searched(tmp_path, cache):
    touch(tmp_path / ".scans", "a.png")
    assert names(find_inputs(str(tmp_path / ".scans"), cache)) == ["a.png"]


def test_home_is_expanded(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    touch(tmp_path / "scans", "a.png", "list.txt")
    (tmp_path / "scans" / "list.txt").write_text("~/scans/a.png\n")
    for given in ("~/scans", "~/scans/a.png", "~/scans/*.png", "~/scans/list.txt"):
        assert [file.path for file in find_inputs(given, cache)] == [tmp_path / "scans" / "a.png"]


def test_paths_from_the_working_folder(tmp_path, cache, monkeypatch):
    touch(tmp_path / "scans", "a.png")
    monkeypatch.chdir(tmp_path)
    for given in ("scans", "./scans", "scans/", "scans/*.png", "sc*/*.png", "**/*.png"):
        (file,) = find_inputs(given, cache)
        assert file.path.samefile(tmp_path / "scans" / "a.png")
        assert file.name in ("a.png", "scans/a.png")


@pytest.mark.parametrize("name", ["empty", "texts", "hidden"])
def test_a_folder_with_nothing_to_measure_is_refused(tmp_path, cache, name):
    touch(tmp_path, "texts/a.md", "hidden/.a.png", "empty/x")
    (tmp_path / "empty" / "x").unlink()
    with pytest.raises(InputError, match=rf"input=.*{name}: there is nothing to measure; it must hold.*\.png.*\.dcm"):
        find_inputs(str(tmp_path / name), cache)


def test_a_missing_path_is_refused(scans, cache):
    with pytest.raises(InputError, match="no such file or folder"):
        find_inputs(str(scans / "a.png"), cache)
    touch(scans, "a.png")
    with pytest.raises(InputError, match="no such file or folder"):
        find_inputs([str(scans), str(scans / "b.png")], cache)


# Patterns


def test_a_pattern_gives_names_below_its_plain_part(scans, cache):
    touch(scans, "a/1.png", "a/b/2.png", "c/3.png", "c/3.jpg", "a/.x/4.png", ".y/5.png", "a/1_Annotation.png")
    pattern = scans / "**" / "*.png"
    assert names(find_inputs(str(pattern), cache)) == ["a/1.png", "a/b/2.png", "c/3.png"]
    assert names(find_inputs(str(scans / "a" / "*.png"), cache)) == ["1.png"]
    assert names(find_inputs(str(scans / "c" / "3.*"), cache)) == ["3.jpg", "3.png"]
    assert names(find_inputs(str(scans / "[ac]" / "?.png"), cache)) == ["a/1.png", "c/3.png"]


def test_a_pattern_that_fits_nothing_is_refused(scans, cache):
    touch(scans, "a.png")
    with pytest.raises(InputError, match="there is nothing to measure"):
        find_inputs(str(scans / "*.jpg"), cache)


def test_a_file_called_like_a_pattern_is_that_file(scans, cache):
    touch(scans, "a[1].png", "a1.png")
    assert names(find_inputs(str(scans / "a[1].png"), cache)) == ["a[1].png"]


# Lists


@pytest.mark.parametrize("suffix", [".txt", ".lst", ".TXT"])
def test_a_list_names_files_from_its_own_folder(scans, cache, suffix):
    touch(scans, "a.png", "sub/b.dcm", "d.png")
    listed = scans / f"list{suffix}"
    listed.write_text(f"# a comment\n\n  sub/b.dcm  \n./a.png\n{scans / 'd.png'}\nmissing.png\na.png\n", "utf-8-sig")
    found = find_inputs(str(listed), cache)
    assert names(found) == ["a.png", "d.png", "missing.png", "sub/b.dcm"]
    assert [file.path.exists() for file in found] == [True, True, False, True]


def test_a_list_of_files_elsewhere(tmp_path, scans, cache):
    touch(scans, "a.png", "b.png")
    touch(tmp_path, "lists/a.png")
    listed = tmp_path / "lists" / "list.txt"
    listed.write_text(f"{scans / 'b.png'}\n../scans/a.png\na.png\n")
    assert {file.name: file.path for file in find_inputs(str(listed), cache)} == {
        "b.png": scans / "b.png",
        "scans/a.png": scans / "a.png",
        "lists/a.png": tmp_path / "lists" / "a.png",
    }


@pytest.mark.parametrize("content", [b"", b"# nothing\n\n"])
def test_an_empty_list_is_refused(tmp_path, cache, content):
    touch(tmp_path, "list.txt", content=content)
    with pytest.raises(InputError, match=r"list\.txt: there is nothing to measure"):
        find_inputs(str(tmp_path / "list.txt"), cache)


def test_a_list_that_is_no_text_is_refused(tmp_path, cache):
    touch(tmp_path, "list.txt", content=b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="cannot be read as a list of files"):
        find_inputs(str(tmp_path / "list.txt"), cache)


# An index


def test_an_index_names_files_from_its_own_folder_with_their_pixel_sizes(scans, cache, tmp_path):
    touch(scans, "a.png", "sub/b.dcm", "c.png")
    write_csv(scans / "scans_pixel_size.csv", {"a.png": 0.5, "c.png": 0.3})
    index = scans / "index.CSV"
    index.write_text(f"Filename,Pixel size (mm),note\nsub/b.dcm,0.2\n{scans / 'a.png'},0.1\nc.png,,x\nmissing.png\n\n")
    assert names(find_inputs(str(index), cache)) == ["a.png", "c.png", "missing.png", "sub/b.dcm"]
    assert pixel_sizes(str(index), None, None, cache) == {"a.png": 0.1, "sub/b.dcm": 0.2, "c.png": 0.3}


def test_an_index_needs_no_pixel_sizes(scans, cache):
    touch(scans, "a.png")
    (scans / "index.csv").write_text("filename\na.png\n")
    assert pixel_sizes(str(scans / "index.csv"), None, None, cache) == {}
    assert pixel_sizes(str(scans / "index.csv"), None, 0.1, cache) == {"a.png": 0.1}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name,size\na.png,1\n", r"the header is 'name,size'; an index of images must name the column 'filename'"),
        ("filename,pixel size(mm)\na.png,0.1\n,0.1\n", "a row has no file name"),
        ("filename,pixel size(mm)\na.png,wide\n", "the pixel size of a.png is 'wide'"),
        ("filename,pixel size(mm)\n", "there is nothing to measure"),
        ("", "must name the column 'filename'"),
    ],
)
def test_an_index_that_cannot_be_used_is_refused(scans, cache, content, told):
    touch(scans, "a.png")
    (scans / "index.csv").write_text(content)
    with pytest.raises(InputError, match=told):
        find_inputs(str(scans / "index.csv"), cache)


@pytest.mark.parametrize("key", ["pixel_size_mm", "pixel_size_csv"])
def test_an_index_with_sizes_and_others_are_refused_together(scans, cache, key):
    touch(scans, "a.png")
    index = write_csv(scans / "index.csv", {"a.png": 0.1})
    csv, size = (index, None) if key == "pixel_size_csv" else (None, 0.1)
    with pytest.raises(InputError, match=f"{key} is given, and the index of the input has pixel sizes too"):
        pixel_sizes(str(index), csv, size, cache)


# Archives


@pytest.mark.parametrize("inside", ["set/", "", "other/"])
def test_an_archive_is_extracted(tmp_path, cache, inside):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name in ("2.png", "1.png", "sub/3.dcm", "1_Annotation.png"):
            archive.writestr(f"{inside}{name}", b"x")
    found = find_inputs(str(tmp_path / "set.zip"), cache)
    before = "" if inside == "set/" else inside
    assert names(found) == [f"{before}1.png", f"{before}2.png", f"{before}sub/3.dcm"]
    assert all(file.path.is_relative_to(cache) and file.path.is_file() for file in found)


def test_a_damaged_archive_is_refused(tmp_path, cache):
    touch(tmp_path, "set.zip", content=b"PK no archive")
    with pytest.raises(InputError, match="archive cannot be read"):
        find_inputs(str(tmp_path / "set.zip"), cache)


# Several of these


def test_several_inputs_keep_their_order_and_each_file_is_taken_once(scans, cache):
    touch(scans, "b/2.png", "b/1.png", "a/3.png")
    given = [str(scans / "b"), str(scans / "a" / "3.png"), str(scans), str(scans / "b" / ".." / "b" / "1.png")]
    assert names(find_inputs(given, cache)) == ["1.png", "2.png", "3.png"]


def test_equal_names_get_the_folders_that_tell_them_apart(scans, cache):
    touch(scans, "x/a/1.png", "y/a/1.png", "y/b/1.png", "y/b/2.png")
    found = find_inputs([str(scans / "x" / "a"), str(scans / "y" / "a"), str(scans / "y" / "b")], cache)
    assert {file.name: file.path for file in found} == {
        "x/a/1.png": scans / "x" / "a" / "1.png",
        "y/a/1.png": scans / "y" / "a" / "1.png",
        "b/1.png": scans / "y" / "b" / "1.png",
        "2.png": scans / "y" / "b" / "2.png",
    }


def test_a_longer_name_that_another_file_has_already(scans, cache):
    touch(scans, "x/1.png", "y/1.png", "z/x/1.png")
    found = find_inputs([str(scans / "x"), str(scans / "y"), str(scans / "z")], cache)
    assert len(set(names(found))) == 3
    assert all(file.path.as_posix().endswith(file.name) for file in found)


def test_ten_thousand_files_are_found_quickly(scans, cache):
    for number in range(100):
        (scans / f"{number:03d}").mkdir(parents=True)
    for number in range(10_000):
        os.close(os.open(scans / f"{number % 100:03d}" / f"{number:05d}.png", os.O_CREAT))
    start = time.process_time()
    given = [str(scans), str(scans / "**" / "*.png")]
    assert len(inputs.find_inputs(given, cache)) == 10_000
    assert len(pixel_sizes(given, None, 0.1, cache)) == 10_000
    assert time.process_time() - start < 5  # about 0.3 s; anything quadratic takes minutes


# Pixel sizes


def test_one_size_for_all(scans, cache):
    touch(scans, "a.png", "b/c.dcm")
    assert pixel_sizes(str(scans), None, 0.12, cache) == {"a.png": 0.12, "b/c.dcm": 0.12}


def test_size_and_csv_are_refused_together(scans, cache, tmp_path):
    touch(scans, "a.png")
    with pytest.raises(InputError, match="give one of them"):
        pixel_sizes(str(scans), tmp_path / "a.csv", 0.12, cache)


def test_the_csv_is_asked_for_the_whole_name_first_then_for_its_ends(scans, cache, tmp_path):
    touch(scans, "1.png", "a/1.png", "a/b/2.png", "a/b/3.png", "a/b/4.png")
    table = write_csv(tmp_path / "t.csv", {"1.png": 0.1, "a/1.png": 0.2, "2.png": 0.3, "b/3.png": 0.4, "other.png": 1})
    assert pixel_sizes(str(scans), table, None, cache) == {
        "1.png": 0.1,
        "a/1.png": 0.2,
        "a/b/2.png": 0.3,
        "a/b/3.png": 0.4,
    }


def test_a_csv_that_cannot_be_used_is_refused(scans, cache, tmp_path):
    touch(scans, "a.png")
    with pytest.raises(InputError, match=r"none\.csv"):
        pixel_sizes(str(scans), tmp_path / "none.csv", None, cache)
    with pytest.raises(InputError):
        pixel_sizes(str(scans), write_csv(tmp_path / "t.csv", {"a.png": -1}), None, cache)


@pytest.fixture
def hc18(tmp_path):
    """As HC18 is laid out: names of the two parts collide."""
    root = tmp_path / "hc18"
    touch(root, "training_set/000_HC.png", "training_set/001_HC.png", "test_set/000_HC.png")
    write_csv(root / "training_set_pixel_size_and_HC.csv", {"000_HC.png": 0.1, "001_HC.png": 0.2})
    write_csv(root / "test_set_pixel_size.csv", {"000_HC.png": 0.3})
    return root


def test_the_csv_beside_the_input_is_found(hc18, cache):
    sizes = {"test_set": {"000_HC.png": 0.3}, "training_set": {"000_HC.png": 0.1, "001_HC.png": 0.2}}
    for part, expected in sizes.items():
        for given in (hc18 / part, hc18 / part / "*.png"):
            assert pixel_sizes(str(given), None, None, cache) == expected
    assert pixel_sizes(str(hc18 / "test_set" / "000_HC.png"), None, None, cache) == sizes["test_set"]


def test_each_part_has_its_own_csv(hc18, cache):
    expected = {"test_set/000_HC.png": 0.3, "training_set/000_HC.png": 0.1, "training_set/001_HC.png": 0.2}
    assert pixel_sizes(str(hc18), None, None, cache) == expected
    both = [str(hc18 / "training_set"), str(hc18 / "test_set")]
    several, sizes_of_both = find_inputs(both, cache), pixel_sizes(both, None, None, cache)
    assert {file.name: size for file, size in zip(several, sizes_of_both.values(), strict=True)} == {
        "training_set/000_HC.png": 0.1,
        "001_HC.png": 0.2,
        "test_set/000_HC.png": 0.3,
    }


def test_the_csv_of_one_part_is_not_for_the_other(hc18, cache):
    (hc18 / "test_set_pixel_size.csv").unlink()
    sizes = pixel_sizes(str(hc18), None, None, cache)
    assert sizes == {"training_set/000_HC.png": 0.1, "training_set/001_HC.png": 0.2}
    assert pixel_sizes(str(hc18 / "test_set"), None, None, cache) == {}


def test_the_csv_of_listed_files(hc18, cache, tmp_path):
    inside = hc18 / "list.txt"
    inside.write_text("test_set/000_HC.png\ntraining_set/001_HC.png\n")
    sizes = pixel_sizes(str(inside), None, None, cache)
    assert sizes == {"test_set/000_HC.png": 0.3, "training_set/001_HC.png": 0.2}
    (tmp_path / "lists").mkdir()
    outside = tmp_path / "lists" / "list.txt"
    outside.write_text("../hc18/test_set/000_HC.png\n../hc18/training_set/001_HC.png\n")
    sizes = pixel_sizes(str(outside), None, None, cache)
    assert sizes == {"000_HC.png": 0.3, "001_HC.png": 0.2}


def test_the_csv_beside_an_archive(tmp_path, cache):
    with zipfile.ZipFile(tmp_path / "test_set.zip", "w") as archive:
        archive.writestr("test_set/000_HC.png", b"x")
    write_csv(tmp_path / "test_set_pixel_size.csv", {"000_HC.png": 0.3})
    assert pixel_sizes(str(tmp_path / "test_set.zip"), None, None, cache) == {"000_HC.png": 0.3}


def test_the_csv_inside_the_folder(scans, cache):
    touch(scans, "a.png", "b.png")
    write_csv(scans / "pixel_size.csv", {"a.png": 0.1})
    assert pixel_sizes(str(scans), None, None, cache) == {"a.png": 0.1}


@pytest.mark.parametrize(("in_csv", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_are_one_character_or_two(scans, cache, in_csv, on_disk):
    name = "Köpfe é.png"
    touch(scans, unicodedata.normalize(on_disk, name))
    table = scans.parent / "sizes.csv"
    table.write_text(f"filename,pixel size(mm)\n{unicodedata.normalize(in_csv, name)},0.1\n", encoding="utf-8")
    assert list(pixel_sizes(str(scans), table, None, cache).values()) == [0.1]


def test_a_csv_that_names_none_of_the_inputs_is_refused(scans, cache):
    touch(scans, "a.png")
    table = write_csv(scans.parent / "sizes.csv", {"b.png": 0.1})
    with pytest.raises(InputError, match=r"names none of the inputs \(b.png, for instance, but not a.png\)"):
        pixel_sizes(str(scans), table, None, cache)


def test_results_are_no_input(scans, cache):
    touch(scans, "settings.json", "predictions.csv", "masks/a.png")
    with pytest.raises(InputError, match="a prediction wrote this folder"):
        find_inputs(str(scans), cache)


def test_real_images(hc18_root, cache):
    archive = str(hc18_root / "test_set.zip")
    assert len(find_inputs(archive, cache)) == len(pixel_sizes(archive, None, None, cache)) == 335
    assert np.asarray(Image.open(find_inputs(archive, cache)[0].path)).ndim >= 2
