"""Phantoms: the layout of HC18, a truth that agrees with itself, and images that follow from their seed."""

import csv
import io
import zipfile

import cv2
import numpy as np
import pytest

from fetal_seg.data.phantom.writing import simulate, write_phantoms
from fetal_seg.data.records import ellipse_of_annotation
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse

TRAIN, TEST = 30, 3
FILES = ("training_set.zip", "test_set.zip", "training_set_pixel_size_and_HC.csv", "test_set_pixel_size.csv")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, train=TRAIN, test=TEST, seed=5)
    return folder


def rows_of(folder, name):
    return list(csv.DictReader(io.StringIO((folder / name).read_bytes().decode(), newline="")))


def members_of(folder, part):
    with zipfile.ZipFile(folder / f"{part}.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def grey(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_layout_is_that_of_hc18(phantoms):
    assert sorted(path.name for path in phantoms.iterdir()) == sorted(FILES)
    train, test = rows_of(phantoms, FILES[2]), rows_of(phantoms, FILES[3])
    assert list(train[0]) == ["filename", "pixel size(mm)", "head circumference (mm)"]
    assert list(test[0]) == ["filename", "pixel size(mm)"]
    assert (len(train), len(test)) == (TRAIN, TEST)
    images = {f"training_set/{row['filename']}" for row in train}
    outlines = {name.replace(".png", "_Annotation.png") for name in images}
    assert set(members_of(phantoms, "training_set")) == images | outlines
    assert set(members_of(phantoms, "test_set")) == {f"test_set/{number:03d}_HC.png" for number in range(TEST)}


@pytest.mark.parametrize("name", FILES[2:])
def test_csv_lines_end_as_those_of_hc18(phantoms, name):
    content = (phantoms / name).read_bytes()
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == (TRAIN if "training" in name else TEST) + 1


def test_outline_and_csv_agree(phantoms):
    members = members_of(phantoms, "training_set")
    for row in rows_of(phantoms, FILES[2]):
        name = f"training_set/{row['filename'].replace('.png', '_Annotation.png')}"
        drawn = grey(members[name])
        ellipse = ellipse_of_annotation(drawn, phantoms / name)
        circumference = ellipse.circumference * float(row["pixel size(mm)"])
        assert circumference == pytest.approx(float(row["head circumference (mm)"]), rel=1e-3)
        assert set(np.unique(drawn)) == {0, 255}
        assert np.count_nonzero(drawn) / ellipse.circumference == pytest.approx(2.54, abs=0.1)
        assert not np.concatenate([drawn[[0, -1]].ravel(), drawn[:, [0, -1]].ravel()]).any()


def test_images_are_grey_and_as_large_as_their_outlines(phantoms):
    members = members_of(phantoms, "training_set")
    for row in rows_of(phantoms, FILES[2]):
        name = f"training_set/{row['filename']}"
        image, drawn = grey(members[name]), grey(members[name.replace(".png", "_Annotation.png")])
        assert image.dtype == np.uint8
        assert image.shape == drawn.shape
        assert image.shape == (540, 800) or (541 <= image.shape[0] <= 563 and 738 <= image.shape[1] <= 799)
        assert 8 < image.mean() < 90
        assert 44 <= float(row["head circumference (mm)"]) <= 346
        assert 0.049 <= float(row["pixel size(mm)"]) <= 0.394


def test_some_examinations_have_sisters_that_look_alike(phantoms):
    sizes = {row["filename"]: float(row["head circumference (mm)"]) for row in rows_of(phantoms, FILES[2])}
    sisters = [name for name in sizes if "_2HC" in name]
    assert sisters
    members = members_of(phantoms, "training_set")
    for name in sisters:
        first = name.replace("_2HC", "_HC")
        assert sizes[name] == pytest.approx(sizes[first], rel=0.03)
        assert members[f"training_set/{name}"] != members[f"training_set/{first}"]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_phantoms(folder, train=3, test=1, seed=2)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_image_depends_on_its_number_and_the_seed_alone(phantoms, tmp_path):
    write_phantoms(tmp_path / "few", train=4, test=1, seed=5)
    write_phantoms(tmp_path / "other", train=4, test=1, seed=6)
    many, few, other = (members_of(f, "training_set") for f in (phantoms, tmp_path / "few", tmp_path / "other"))
    assert few.items() <= many.items()
    assert all(row in rows_of(phantoms, FILES[2]) for row in rows_of(tmp_path / "few", FILES[2]))
    assert few["training_set/000_HC.png"] != other["training_set/000_HC.png"]
    assert few["training_set/000_HC.png"] != members_of(phantoms, "test_set")["test_set/000_HC.png"]


def test_more_than_a_thousand_examinations_have_names_of_their_own(tmp_path, monkeypatch):
    blank = np.zeros((540, 800), np.uint8)
    monkeypatch.setattr("fetal_seg.data.phantom.writing.simulate", lambda *_: blank)
    write_phantoms(tmp_path, train=0, test=1002, seed=0)
    names = [row["filename"] for row in rows_of(tmp_path, FILES[3])]
    assert names[-3:] == ["999_HC.png", "1000_HC.png", "1001_HC.png"]


def test_no_number_is_negative(tmp_path):
    with pytest.raises(InputError, match="train=-1"):
        write_phantoms(tmp_path, train=-1, test=0, seed=0)


@pytest.mark.parametrize("shape", [(540, 800), (563, 745), (96, 128)])
def test_an_image_follows_from_its_generator(shape):
    ellipse = Ellipse(0.5 * shape[1], 0.5 * shape[0], 0.3 * shape[1], 0.25 * shape[1], 0.3)
    first, second = (simulate(ellipse, shape, 0.12, np.random.default_rng(1)) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
