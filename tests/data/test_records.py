import math
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fetal_seg.data.records import Record, ellipse_of_annotation, read_ahead, records_named, with_head
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from tests.data.made_records import make_records

HEAD = Ellipse(210, 150, 110, 85, 0.5)
SOURCE = Path("a_Annotation.png")


def _outline(thickness: int = 3, *, gap: float = 0.0) -> np.ndarray:
    canvas = np.zeros((300, 420), np.uint8)
    degrees = math.degrees(HEAD.angle_rad)
    axes = (int(HEAD.semi_axis_a), int(HEAD.semi_axis_b))
    cv2.ellipse(canvas, (210, 150), axes, degrees, gap, 360, 255, thickness)
    return canvas


def _assert_is_head(ellipse: Ellipse, tolerance: float = 0.002) -> None:
    assert ellipse.circumference == pytest.approx(HEAD.circumference, rel=tolerance)
    assert (ellipse.center_x, ellipse.center_y) == pytest.approx((210, 150), abs=0.5)


@pytest.mark.parametrize("thickness", [1, 3, 7])
@pytest.mark.parametrize("gap", [0, 40])
def test_an_outline_is_measured_along_its_middle_open_or_closed(thickness, gap):
    _assert_is_head(ellipse_of_annotation(_outline(thickness, gap=gap), SOURCE), 0.004)


@pytest.mark.parametrize("value", [1, 100, 255])
def test_a_mask_is_measured_along_its_boundary_whatever_its_value(value):
    _assert_is_head(ellipse_of_annotation(HEAD.rasterise(300, 420) * np.uint8(value), SOURCE))


def test_a_mask_with_a_soft_edge_is_measured_at_half():
    soft = np.rint(255 * HEAD.coverage(300, 420)).astype(np.uint8)
    _assert_is_head(ellipse_of_annotation(soft, SOURCE))


def test_a_mask_that_the_frame_cuts():
    mask = HEAD.rasterise(300, 420)[:, 130:] * np.uint8(255)
    ellipse = ellipse_of_annotation(mask, SOURCE)
    assert ellipse.circumference == pytest.approx(HEAD.circumference, rel=0.005)
    assert ellipse.center_x == pytest.approx(80, abs=0.5)


def _dots(*points: tuple[int, int]) -> np.ndarray:
    drawn = np.zeros((300, 420), np.uint8)
    for row, column in points:
        drawn[row, column] = 255
    return drawn


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (_dots(), "is empty"),
        (_dots((5, 5)), "holds no ellipse"),
        (_dots(*((10, column) for column in range(10, 200))), "holds no ellipse"),
        (_dots(*((index, index) for index in range(100))), "holds no ellipse"),
    ],
    ids=["nothing", "a dot", "a row", "a diagonal"],
)
def test_an_annotation_without_an_ellipse_is_refused(drawn, message):
    with pytest.raises(InputError, match=rf"a_Annotation\.png: the annotation {message}"):
        ellipse_of_annotation(drawn, SOURCE)


def test_a_record_reads_its_files(tmp_path):
    Image.fromarray(np.full((300, 420), 7, np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(_outline()).save(tmp_path / "a_Annotation.png")
    record = Record("a.png", "a", tmp_path / "a.png", tmp_path / "a_Annotation.png", 0.1)
    np.testing.assert_array_equal(record.read_image(), np.full((300, 420), 7))
    ellipse, size = record.read_truth()
    assert size == (300, 420)
    _assert_is_head(ellipse)


def test_a_record_without_annotation_has_no_truth(tmp_path):
    with pytest.raises(InputError, match=r"a\.png has no annotation"):
        Record("a.png", "a", tmp_path / "a.png").read_truth()


def test_a_missing_annotation_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Record("a.png", "a", tmp_path / "a.png", tmp_path / "b.png").read_truth()


def test_records_by_name_come_in_the_order_asked():
    records = [Record(name, name, Path(name)) for name in "abc"]
    assert [record.name for record in records_named(records, ["c", "a"])] == ["c", "a"]
    with pytest.raises(InputError, match="the data have no x, y"):
        records_named(records, ["a", "x", "y"])


def test_items_come_in_order_in_batches_with_what_was_read():
    assert list(read_ahead(list("abcde"), str.upper, size=2)) == [
        (["a", "b"], ["A", "B"]),
        (["c", "d"], ["C", "D"]),
        (["e"], ["E"]),
    ]
    assert list(read_ahead([], str.upper)) == []


def test_what_shows_no_head_has_no_truth(tmp_path):
    head, other = make_records(tmp_path, 2)
    other = replace(other, annotation=None, shows_head=False)
    image, truth = other.read_pair()
    assert truth is None
    assert np.array_equal(image, other.read_image())
    assert other.read_truth() == (None, image.shape)
    assert with_head([head, other]) == [head]


def test_the_next_batch_is_read_while_one_is_worked_on_and_no_more():
    started = {number: threading.Event() for number in range(6)}

    def read(number):
        started[number].set()
        return number

    batches = read_ahead(range(6), read, size=2)
    next(batches)
    assert all(started[number].wait(10) for number in (2, 3))
    assert not started[4].is_set()
    assert not started[5].is_set()


def test_a_file_that_cannot_be_read_stops_at_its_batch():
    batches = read_ahead(["1", "2", "x"], int, size=2)
    assert next(batches) == (["1", "2"], [1, 2])
    with pytest.raises(ValueError, match="invalid literal"):
        next(batches)
