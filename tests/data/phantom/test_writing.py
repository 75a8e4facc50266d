"""Phantoms: the layout of HC18, a truth that agrees with itself, and images that follow from their seed."""

import csv
import io
import math
import zipfile

import cv2
import numpy as np
import pytest

from fetal_seg.data.phantom.simulation import envelope
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


def test_speckle_follows_rayleigh_before_compression():
    rms = np.full((500, 500), 3.0, np.float32)
    sound = envelope(rms, np.zeros_like(rms), (2.0, 2.0), np.random.default_rng(0))
    assert sound.mean() / sound.std() == pytest.approx(math.sqrt(math.pi / (4 - math.pi)), rel=0.03)
    assert np.mean(sound**2) == pytest.approx(9.0, rel=0.05)


def test_mirrors_add_in_phase():
    mirror = np.full((200, 200), 5.0, np.float32)
    assert envelope(np.zeros_like(mirror), mirror, (2.0, 2.0), np.random.default_rng(0)) == pytest.approx(5.0, rel=1e-3)


def test_speckle_is_wider_across_the_beams():
    rms = np.ones((400, 400), np.float32)
    sound = envelope(rms, 0 * rms, (1.5, 4.0), np.random.default_rng(0))
    down, across = np.abs(np.diff(sound, axis=0)).mean(), np.abs(np.diff(sound, axis=1)).mean()
    assert down > 2 * across


@pytest.mark.parametrize("pixel_size_mm", [0.07, 0.13, 0.23])
def test_the_skull_is_brightest_where_it_faces_the_beam(pixel_size_mm):
    ellipse = Ellipse(395, 270, 200, 160, 0.0)
    outer, inner = ellipse.rasterise(540, 800), Ellipse(395, 270, 186, 146, 0.0).rasterise(540, 800)
    y, x = np.nonzero(outer - inner)
    direction = np.abs(np.arctan2((y - 270) / 160, (x - 395) / 200))
    facing, grazing = np.abs(direction - math.pi / 2) < 0.4, np.abs(direction - math.pi / 2) > math.pi / 2 - 0.4
    images = [simulate(ellipse, (540, 800), pixel_size_mm, np.random.default_rng(seed))[y, x] for seed in range(5)]
    echo = np.mean(images, axis=0)
    assert echo[facing].mean() > 1.4 * echo[grazing].mean()


def test_the_skull_begins_at_the_ellipse():
    ellipse = Ellipse(395, 270, 200, 160, 0.0)
    images = [simulate(ellipse, (540, 800), 0.13, np.random.default_rng(seed)) for seed in range(5)]
    bottom = np.mean(images, axis=0)[:, 375:416].mean(axis=1)
    assert bottom[420:427].mean() > 2 * bottom[442:449].mean()
    assert 415 < 400 + np.argmax(bottom[400:450]) < 430


@pytest.mark.parametrize("shape", [(540, 800), (563, 745), (96, 128)])
def test_an_image_follows_from_its_generator(shape):
    ellipse = Ellipse(0.5 * shape[1], 0.5 * shape[0], 0.3 * shape[1], 0.25 * shape[1], 0.3)
    first, second = (simulate(ellipse, shape, 0.12, np.random.default_rng(1)) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
