import csv
import math
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.data.records import ellipse_of_annotation
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.report.prediction.submission import row_ellipse, write_submission

HEADER = "filename,center_x_mm,center_y_mm,semi_axes_a_mm,semi_axes_b_mm,angle_rad"
SIZE = st.floats(0.03, 0.5)


@st.composite
def ellipses(draw):
    a = draw(st.floats(5, 900))
    center = st.floats(-200, 1500)
    return Ellipse(draw(center), draw(center), a, a * draw(st.floats(0.3, 0.999)), draw(st.floats(-1.57, 1.57)))


def row_of(ellipse, file="000_HC.png", x_mm=0.1, y_mm=None):
    return {
        "file": file,
        "center_x_px": ellipse.center_x,
        "center_y_px": ellipse.center_y,
        "semi_axis_a_px": ellipse.semi_axis_a,
        "semi_axis_b_px": ellipse.semi_axis_b,
        "angle_rad": ellipse.angle_rad,
        "pixel_size_mm": x_mm,
        "pixel_size_y_mm": y_mm,
    }


def read_back(path):
    """The file names and ellipses of a submission, mm."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == HEADER
    return [(name, Ellipse(*map(float, values))) for name, *values in rows]


HEAD = Ellipse(400, 270, 250, 190, 0.4)


@given(ellipse=ellipses(), size=SIZE)
def test_what_is_written_reads_back_in_pixels(tmp_path_factory, ellipse, size):
    path = tmp_path_factory.getbasetemp() / "submission.csv"
    assert write_submission(path, [row_of(ellipse, x_mm=size, y_mm=size)]) == 1
    ((name, read),) = read_back(path)
    assert name == "000_HC.png"
    np.testing.assert_allclose(read.points(64) / size, ellipse.points(64), atol=1e-5)


@given(ellipse=ellipses(), x_mm=SIZE, y_mm=SIZE)
def test_pixels_that_are_not_square_are_scaled_along_each_axis(tmp_path_factory, ellipse, x_mm, y_mm):
    path = tmp_path_factory.getbasetemp() / "submission.csv"
    write_submission(path, [row_of(ellipse, x_mm=x_mm, y_mm=y_mm)])
    ((_, read),) = read_back(path)
    u, v = (ellipse.points(32) * (x_mm, y_mm) - (read.center_x, read.center_y)).T  # each point lies on what was read
    cos, sin = math.cos(read.angle_rad), math.sin(read.angle_rad)
    radius = np.hypot((u * cos + v * sin) / read.semi_axis_a, (v * cos - u * sin) / read.semi_axis_b)
    np.testing.assert_allclose(radius, 1, atol=1e-5)


def test_the_file_is_what_the_organisers_describe(tmp_path):
    path = tmp_path / "new" / "submission.csv"
    rows = [row_of(Ellipse(400, 270, 250, 190, -0.4), "test_set/000_HC.png"), row_of(HEAD, "test_set/001_HC.png")]
    assert write_submission(path, rows) == 2
    lines = path.read_text().splitlines()
    assert lines[0] == HEADER
    name, *values = lines[1].split(",")
    assert name == "000_HC.png"
    assert [float(value) for value in values] == pytest.approx([40, 27, 25, 19, math.pi - 0.4])
    assert all(len(value.split(".")[1]) >= 6 for value in values)
    assert lines[2].startswith("001_HC.png,40.0")


def test_conventions_are_those_of_public_submissions(tmp_path):
    """Both ways that public code computes a row: fits of OpenCV to a mask's border, as (row, column) and (x, y)."""
    for angle in (-1.2, -0.5, 0.3, 1.0, 1.5):
        head = Ellipse(400.3, 270.6, 250, 190, angle)
        mask = head.rasterise(540, 800)
        (border,), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        (row, column), (_, long), turned = cv2.fitEllipseDirect(border[:, 0, ::-1].copy())
        by_rows = [0.1 * column, 0.1 * row, 0.1 * long / 2, math.radians(-turned) % math.pi]
        (x, y), (_, long), turned = cv2.fitEllipse(border)
        by_columns = [0.1 * x, 0.1 * y, 0.1 * long / 2, math.radians(turned + 90) % math.pi]
        write_submission(tmp_path / "s.csv", [row_of(head)])
        with (tmp_path / "s.csv").open() as file:
            written = next(csv.DictReader(file))
        ours = [float(written[key]) for key in ("center_x_mm", "center_y_mm", "semi_axes_a_mm", "angle_rad")]
        assert ours == pytest.approx(by_rows, abs=0.06)
        assert ours == pytest.approx(by_columns, abs=0.06)


def test_images_without_a_head_or_a_pixel_size_are_named_and_nothing_is_written(tmp_path):
    rows = [
        row_of(HEAD, "a.png"),
        {"file": "b.png", "flag": "no head", "pixel_size_mm": 0.1},
        row_of(HEAD, "c.png", x_mm=None),
    ]
    with pytest.raises(InputError, match=r"no head is known for b\.png and no pixel size is known for c\.png"):
        write_submission(tmp_path / "s.csv", rows)
    assert not list(tmp_path.iterdir())
    assert row_ellipse(rows[1]) is None


def test_a_name_has_one_row_and_there_is_one(tmp_path):
    with pytest.raises(InputError, match=r"one row an image, and 000_HC\.png"):
        write_submission(tmp_path / "s.csv", [row_of(HEAD, "x/000_HC.png"), row_of(HEAD, "y/000_HC.png")])
    with pytest.raises(InputError, match="at least one image"):
        write_submission(tmp_path / "s.csv", [])


def test_circumferences_of_a_submission_of_the_truth_are_those_of_hc18(hc18_root, tmp_path):
    archive = hc18_root / "training_set.zip"
    if not archive.is_file():
        pytest.skip(f"{archive} is not there: the annotations are read from the archive")
    with (hc18_root / "training_set_pixel_size_and_HC.csv").open(newline="") as file:
        table = {name: (float(size), float(hc)) for name, size, hc in list(csv.reader(file))[1:] if name}
    names = sorted(table)[::33][:30]
    rows = []
    with zipfile.ZipFile(archive) as files:
        for name in names:
            drawn = files.read(f"training_set/{name.replace('.png', '_Annotation.png')}")
            pixels = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_GRAYSCALE)
            rows.append(row_of(ellipse_of_annotation(pixels, archive), name, x_mm=table[name][0]))
    assert write_submission(tmp_path / "s.csv", rows) == 30
    for name, ellipse in read_back(tmp_path / "s.csv"):
        assert ellipse.circumference == pytest.approx(table[name][1], abs=0.1)
