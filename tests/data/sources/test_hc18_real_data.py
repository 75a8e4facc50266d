"""HC18 itself, where it is there."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fetal_seg.data import archives
from fetal_seg.data.sources import hc18
from fetal_seg.geometry.ellipse import Ellipse

TRAINING_CSV = "training_set_pixel_size_and_HC.csv"


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hc18-cache")


@pytest.fixture(scope="session")
def training(hc18_root, real_cache) -> list:
    return hc18.load(hc18_root, real_cache, download=False)


def test_real_training_set(training, hc18_root, real_cache, monkeypatch):
    assert len(training) == 999
    assert len({record.examination for record in training}) == 806
    assert training == sorted(training, key=lambda record: record.name)
    monkeypatch.setattr(archives, "_extract", lambda *_: pytest.fail("extracted again"))
    assert hc18.load(hc18_root, real_cache, download=False) == training


def test_real_test_set(hc18_root, real_cache, training):
    records = hc18.load_part(hc18.TEST, hc18_root, real_cache, download=False)
    assert len(records) == 335
    assert {record.name for record in records} < {record.name for record in training}
    assert not {record.image for record in records} & {record.image for record in training}
    assert all(record.annotation is None for record in records)


def test_real_circumferences_agree_with_the_csv(training, hc18_root):
    with (hc18_root / TRAINING_CSV).open(newline="") as file:
        expected = {row["filename"]: float(row["head circumference (mm)"]) for row in csv.DictReader(file)}
    errors = {}
    for record in training:
        truth, _ = record.read_truth()
        errors[record.name] = truth.circumference * record.pixel_size_mm / expected[record.name] - 1
    assert len(errors) == 999
    assert max(map(abs, errors.values())) < 0.001
    assert np.mean(np.abs(list(errors.values()))) < 0.0001


@pytest.mark.parametrize("name", ["186_HC", "346_HC", "628_2HC", "787_HC"])
def test_real_open_outlines(training, name):
    (record,) = [record for record in training if record.name == f"{name}.png"]
    truth, (height, width) = record.read_truth()
    half_width, half_height = truth.half_extent
    top, bottom = truth.center_y - half_height, truth.center_y + half_height
    assert top < 0 or bottom > height - 1, "the outline is open since the head leaves the frame"
    assert 0 < truth.center_x - half_width < truth.center_x + half_width < width - 1
    assert truth.rasterise(height, width).sum() == pytest.approx(truth.area, rel=0.01)
    drawn = cv2.imread(str(record.annotation), cv2.IMREAD_GRAYSCALE) > 127
    inner = Ellipse(truth.center_x, truth.center_y, truth.semi_axis_a - 4, truth.semi_axis_b - 4, truth.angle_rad)
    outer = Ellipse(truth.center_x, truth.center_y, truth.semi_axis_a + 4, truth.semi_axis_b + 4, truth.angle_rad)
    assert not (drawn & (inner.rasterise(height, width) == 1)).any()
    assert not (drawn & (outer.rasterise(height, width) == 0)).any()


def test_real_images_of_odd_sizes(training):
    sizes = {record.name: Image.open(record.image).size for record in training}
    odd = [record for record in training if sizes[record.name] != (800, 540)]
    assert len(odd) == 24
    for record in odd:
        truth, (height, width) = record.read_truth()
        assert record.read_image().shape == (height, width) == sizes[record.name][::-1]
        assert 0 < truth.center_x < width
        assert 0 < truth.center_y < height
