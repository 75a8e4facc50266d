import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_seg.data.sources.folder import load
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse

HEAD = Ellipse(40, 30, 25, 18, 0.3)


def _write(path: Path, *, mask: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = HEAD.rasterise(60, 80) * np.uint8(255) if mask else np.full((60, 80), 90, np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for stem in ("b", "a"):
        _write(tmp_path / "images" / f"{stem}.png")
        _write(tmp_path / "masks" / f"{stem}.png", mask=True)
    return tmp_path


def _table(root: Path, text: str) -> None:
    (root / "pixel_sizes.csv").write_text(text, encoding="utf-8")


def _problems(root: Path, **keys) -> str:
    with pytest.raises(InputError) as caught:
        load(root, **keys)
    return str(caught.value)


def test_images_and_masks_of_the_same_stem_belong_together(root):
    records = load(root)
    assert [record.name for record in records] == ["a.png", "b.png"]
    assert [record.examination for record in records] == ["a.png", "b.png"]
    assert records[0].image == root / "images" / "a.png"
    assert records[0].annotation == root / "masks" / "a.png"
    assert records[0].pixel_size_mm is None
    ellipse, size = records[0].read_truth()
    assert size == (60, 80)
    assert ellipse.circumference == pytest.approx(HEAD.circumference, rel=0.01)


@pytest.mark.parametrize("mask", ["a.png", "a_mask.png", "a_Annotation.png", "a.BMP", "a_MASK.tiff", "a.jpg"])
@pytest.mark.parametrize("image", ["a.png", "a.PNG", "a.JPeG", "a.tif", "a.bmp"])
def test_any_suffix_in_any_case(tmp_path, image, mask):
    _write(tmp_path / "images" / image)
    _write(tmp_path / "masks" / mask, mask=True)
    (record,) = load(tmp_path)
    assert record.name == image
    assert record.annotation == tmp_path / "masks" / mask


@pytest.mark.parametrize("ending", ["_mask", "_Annotation"])
def test_masks_may_lie_beside_their_images(tmp_path, ending):
    _write(tmp_path / "a.png")
    _write(tmp_path / "b.tif")
    _write(tmp_path / f"a{ending}.png", mask=True)
    _write(tmp_path / f"b{ending}.png", mask=True)
    records = load(tmp_path)
    assert [record.name for record in records] == ["a.png", "b.tif"]
    assert [record.annotation.name for record in records] == [f"a{ending}.png", f"b{ending}.png"]


def test_an_image_whose_own_stem_ends_in_mask(tmp_path):
    _write(tmp_path / "images" / "a_mask.png")
    _write(tmp_path / "masks" / "a_mask.png", mask=True)
    assert load(tmp_path)[0].annotation == tmp_path / "masks" / "a_mask.png"


def test_other_files_and_hidden_ones_are_passed_over(root):
    (root / "images" / "Thumbs.db").write_bytes(b"x")
    (root / "images" / "._a.png").write_bytes(b"x")
    (root / "masks" / "notes.txt").write_text("x", encoding="utf-8")
    (root / "images" / "folder.png").mkdir()
    assert len(load(root)) == 2


@pytest.mark.parametrize(
    "header",
    [
        "filename,pixel size(mm),group",
        "filename,pixel_size_mm,examination",
        "\ufeffFileName, Pixel Size (mm) ,Group",
        "filename,pixelsize,GROUP",
    ],
)
def test_the_csv_gives_pixel_sizes_and_groups(root, header):
    _table(root, f"{header}\r\nb.png,0.2,case 7\r\na.png, 0.1 ,case 7\r\n\r\n")
    records = load(root)
    assert [record.pixel_size_mm for record in records] == [0.1, 0.2]
    assert [record.examination for record in records] == ["case 7", "case 7"]


def test_groups_are_optional(root):
    _table(root, "filename,pixel size(mm),group\nb.png,0.2,\na.png,0.1\n")
    assert [record.examination for record in load(root)] == ["a.png", "b.png"]
    _table(root, "pixel size(mm),filename\n0.2,b.png\n0.1,a.png\n")
    assert [(record.examination, record.pixel_size_mm) for record in load(root)] == [("a.png", 0.1), ("b.png", 0.2)]


def test_without_a_csv_the_log_says_what_is_not_known(root, caplog):
    with caplog.at_level(logging.INFO):
        load(root)
    assert "pixel sizes are unknown" in caplog.text


def test_rows_of_other_images_do_no_harm(root):
    _table(root, "filename,pixel size(mm)\na.png,0.1\nb.png,0.2\nc.png,0.3\n")
    assert len(load(root)) == 2


def test_a_missing_folder(tmp_path):
    assert "no such folder" in _problems(tmp_path / "nowhere")
    file = _write(tmp_path / "a.png")
    assert "no such folder" in _problems(file)


def test_a_folder_without_images(tmp_path):
    assert "holds no image" in _problems(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    assert "holds no image" in _problems(tmp_path)


def test_a_folder_without_masks(tmp_path):
    _write(tmp_path / "images" / "a.png")
    assert "no masks/" in _problems(tmp_path)


@pytest.mark.parametrize("value", ["0", "-0.1", "nan", "inf", "abc"])
def test_a_pixel_size_that_is_none(root, value):
    _table(root, f"filename,pixel size(mm)\na.png,{value}\nb.png,0.2\n")
    assert "a.png" in _problems(root)
    assert "positive number" in _problems(root)


@pytest.mark.parametrize("row", ["a.png,,1", "a.png,  ,1"])
def test_a_blank_pixel_size_is_not_known(root, row):
    _table(root, f"filename,pixel size(mm),group\n{row}\nb.png,0.2,1\n")
    assert [record.pixel_size_mm for record in load(root)] == [None, 0.2]


class TestImagesWithoutAMask:
    @pytest.fixture
    def bare(self, root):
        for stem in "cdefghi":
            _write(root / "images" / f"{stem}.png")
        return root

    def test_they_are_refused_by_default_with_all_remedies(self, bare):
        for keys in ({}, {"unlabelled": "refuse"}):
            problems = _problems(bare, **keys)
            assert problems.startswith("c.png, d.png, e.png, f.png, g.png and 2 more has no mask; each image needs one")
            assert "add it" in problems
            assert "data.unlabelled=skip" in problems
            assert "data.unlabelled=no_head" in problems

    def test_they_are_left_out(self, bare, caplog):
        _table(bare, "filename,pixel size(mm)\na.png,0.1\nb.png,0.2\n")  # nothing is to be known of them
        with caplog.at_level(logging.INFO):
            records = load(bare, "skip")
        assert [record.name for record in records] == ["a.png", "b.png"]
        assert all(record.shows_head for record in records)
        (told,) = [message for message in caplog.messages if "have no mask" in message]
        assert told.startswith("7 of 9 images have no mask: they are left out")
        assert told.endswith("c.png, d.png, e.png, f.png, g.png and 2 more")

    def test_they_are_images_without_a_head(self, bare, caplog):
        with caplog.at_level(logging.INFO):
            records = load(bare, "no_head")
        assert [record.name for record in records if record.shows_head] == ["a.png", "b.png"]
        assert [record.name[0] for record in records] == list("abcdefghi")
        assert records[2].read_truth() == (None, (60, 80))
        assert records[2].annotation is None
        assert "7 of 9 images have no mask: they count as images without a head" in caplog.text

    @pytest.mark.parametrize("choice", ["skip", "no_head"])
    def test_other_problems_are_told_as_ever(self, bare, choice):
        _write(bare / "masks" / "lone.png", mask=True)
        assert _problems(bare, unlabelled=choice).startswith("the mask lone.png has no image")

    @pytest.mark.parametrize("choice", ["skip", "no_head"])
    @pytest.mark.parametrize("folder", ["", "images"])
    def test_some_must_have_one(self, tmp_path, choice, folder):
        (tmp_path / folder).mkdir(exist_ok=True)
        _write(tmp_path / folder / "a.png")
        assert "none of 1 images has a mask" in _problems(tmp_path, unlabelled=choice)

    @pytest.mark.parametrize("choice", ["refuse", "skip", "no_head"])
    def test_where_all_have_one_there_is_nothing_to_say(self, root, choice, caplog):
        with caplog.at_level(logging.INFO):
            assert load(root, choice) == load(root)
        assert "no mask" not in caplog.text


@pytest.mark.parametrize("header", ["name,size", "filename;pixel size(mm)", "", "filename"])
def test_a_csv_without_the_columns(root, header):
    _table(root, f"{header}\na.png,0.1\n")
    assert "it must name the columns 'filename' and 'pixel size(mm)'" in _problems(root)


def test_a_csv_that_is_no_text(root):
    (root / "pixel_sizes.csv").write_bytes(b"\xff\xfe\x00\x01" * 50)
    assert "cannot be read" in _problems(root)


def test_all_problems_are_told_at_once(root):
    _write(root / "images" / "bare.png")
    _write(root / "masks" / "lone.png", mask=True)
    _write(root / "masks" / "a_mask.png", mask=True)
    _write(root / "images" / "b.tif")
    _table(root, "filename,pixel size(mm)\na.png,0\na.png,0.1\nb.png,x\n")
    problems = _problems(root).splitlines()
    assert len(problems) == 7
    for words in (
        "bare.png has no mask",
        "the mask lone.png has no image",
        "b.png, b.tif differ in their suffix only",
        "a.png, a_mask.png are masks of one image",
        "more than one row for a.png",
        "the pixel size of a.png is 0; a pixel size is a positive number of millimetres; correct the row (likewise b.p",
        "no row for b.tif, bare.png",
    ):
        assert any(words in problem for problem in problems), (words, problems)
