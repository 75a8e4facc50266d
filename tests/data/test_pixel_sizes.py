import os
from pathlib import Path

import pytest

from fetal_seg.data.pixel_sizes import (
    checked_pixel_size,
    find_pixel_size_csv,
    pixel_size_csvs,
    read_pixel_sizes,
    read_rows,
    without_row,
)
from fetal_seg.errors import InputError

TRAINING_CSV, TEST_CSV = "training_set_pixel_size_and_HC.csv", "test_set_pixel_size.csv"


@pytest.mark.parametrize(
    "text",
    [
        "filename,pixel size(mm)\na.png,0.1\nb.png,0.25\n",
        "\ufefffilename,pixel size(mm),head circumference (mm)\r\na.png,0.1,200\r\nb.png,0.25,300",
        "\r\n Pixel Size (mm) , HC, filename \r\n\r\n0.1, 1, a.png \r\n , ,\r\n 0.25,,b.png\r\n\r\n",
    ],
)
def test_pixel_sizes(tmp_path, text):
    (tmp_path / "sizes.csv").write_bytes(text.encode())
    assert read_pixel_sizes(tmp_path / "sizes.csv") == {"a.png": 0.1, "b.png": 0.25}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, "no such CSV"),
        (b"", "the header is ''"),
        (b"name,size\na.png,1\n", "the header is 'name,size'.*'filename' and 'pixel size\\(mm\\)'"),
        (b"filename;pixel size(mm)\na.png;0,1\n", "comma between them"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "must be text in UTF-8"),
        (b"filename,pixel size(mm)\na.png,0.1\na.png,0.1\n", "more than one row for a.png"),
        (b"filename,pixel size(mm)\na.png,0\n", "positive number of millimetres"),
        (b"filename,pixel size(mm)\na.png,1e308\n", "it is 0.0001 to 100 mm"),
        (b"filename,pixel size(mm)\na.png,nan\n", "positive number of millimetres"),
    ],
)
def test_pixel_sizes_that_cannot_be_read(tmp_path, data, expected):
    if data is not None:
        (tmp_path / "sizes.csv").write_bytes(data)
    with pytest.raises(InputError, match=expected):
        read_pixel_sizes(tmp_path / "sizes.csv")


def test_a_pipe_is_no_csv_that_is_found(tmp_path):
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "in" / "pixel_size.csv")
    assert find_pixel_size_csv(tmp_path / "in") is None
    assert list(pixel_size_csvs(tmp_path / "in")) == []


def test_found_csv_is_the_one_named_after_the_folder(tmp_path):
    for name in (TRAINING_CSV, TEST_CSV, "test_set.zip", "test_set/000_HC.png", "test_set/other_pixel_size.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for images in ("test_set", "test_set.zip", "test_set/000_HC.png"):
        assert find_pixel_size_csv(tmp_path / images) == tmp_path / TEST_CSV


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_found_csv_is_else_the_only_one(tmp_path, place, monkeypatch):
    folder = tmp_path / "images"
    folder.mkdir()
    assert find_pixel_size_csv(folder) is None
    table = (tmp_path if place == "beside" else folder) / "my_pixel_size.csv"
    table.touch()
    assert find_pixel_size_csv(folder) == table
    assert find_pixel_size_csv(folder / "image.png") == table
    monkeypatch.chdir(folder)
    assert find_pixel_size_csv(Path()) == table
    table.with_name("pixel_size_of_others.csv").touch()
    assert find_pixel_size_csv(folder) is None


def test_csv_of_another_folder_is_not_found(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "training_set").mkdir()
    (tmp_path / TEST_CSV).touch()
    assert find_pixel_size_csv(tmp_path / "training_set") is None, "its names are the same, its sizes are not"
    assert find_pixel_size_csv(tmp_path / "images") == tmp_path / TEST_CSV
    (tmp_path / "test_set").mkdir()
    assert find_pixel_size_csv(tmp_path / "images") is None


def test_no_csv_for_a_folder_that_does_not_exist(tmp_path):
    assert find_pixel_size_csv(tmp_path / "no" / "such" / "folder") is None


def test_each_kind_of_problem_is_one_sentence_and_the_rows_are_there(tmp_path):
    file = tmp_path / "sizes.csv"
    file.write_text("filename,pixel size(mm),group\na.png,0,1\nb.png,x\n,0.2\nc.png,0.3,2\nc.png,0.4,3\nc.png,0.5\n")
    rows, problems = read_rows(file)
    assert {name: (row.pixel_size_mm, row.group) for name, row in rows.items()} == {
        "a.png": (None, "1"),
        "b.png": (None, None),
        "c.png": (0.3, "2"),
    }
    assert [problem.removeprefix(f"{file}: ").split(";")[0] for problem in problems] == [
        "a row has no file name (,0.2)",
        "there is more than one row for c.png",
        "the pixel size of a.png is 0",
    ]
    assert problems[2].endswith("(likewise b.png)")
    assert without_row(file, ["c.png", "d.png"], rows)[0].startswith(f"{file}: there is no row for d.png; each image")
    assert without_row(file, ["c.png"], rows) == []


def test_a_blank_size_is_a_problem_unless_sizes_may_be_unknown(tmp_path):
    file = tmp_path / "sizes.csv"
    file.write_text("filename,pixel size(mm)\na.png,\nb.png,0.1\nc.png,0\n")
    assert read_rows(file)[1][0].startswith(f"{file}: the row of a.png has no pixel size")
    rows, problems = read_rows(file, sizes_needed=False)
    assert [row.pixel_size_mm for row in rows.values()] == [None, 0.1, None]
    assert problems[0].startswith(f"{file}: the pixel size of c.png is 0")


@pytest.mark.parametrize(("text", "size"), [("0.1", 0.1), (" 0.0691358041432 ", 0.0691358041432), ("1e-1", 0.1)])
def test_a_size_is_a_positive_number(text, size):
    assert checked_pixel_size(text, "a.png", Path("sizes.csv")) == size


@pytest.mark.parametrize("text", [None, "", "  ", "0", "-0.1", "nan", "inf", "0,1", "0.1 mm"])
def test_what_is_no_pixel_size_is_refused_with_file_and_row(text):
    with pytest.raises(InputError, match=r"sizes\.csv: .*a\.png.*positive number of millimetres; correct the row"):
        checked_pixel_size(text, "a.png", Path("sizes.csv"))
