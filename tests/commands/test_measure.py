"""Measuring for those who have an image: a row a file, on the screen or as CSV."""

import csv
import io

import numpy as np
import pytest

from fetal_seg.images.grey import write_image
from tests.conftest import DRAWN, drawn_head, run_command, table
from tests.dicom_files import region, write_dicom

HC_MM = 0.12 * DRAWN.circumference


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """A folder with a head, a damaged file and one without a head."""
    folder = tmp_path_factory.mktemp("scans")
    write_image(folder / "head.png", drawn_head(DRAWN))
    (folder / "broken.png").write_bytes((folder / "head.png").read_bytes()[:2000])
    write_image(folder / "nothing.png", np.full((200, 300), 7, np.uint8))
    return folder


def measured(done):
    """The rows of what ``--csv`` printed."""
    return {row["file"]: row for row in csv.DictReader(io.StringIO(done.stdout))}


def test_a_folder_gives_a_row_a_file(program, scans, tmp_path):
    done = run_command(program, "measure", scans, "--pixel-size", "0.12", "--csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = measured(done)
    assert {name: row["flag"] for name, row in rows.items()} == {
        "broken.png": "error",
        "head.png": rows["head.png"]["flag"],
        "nothing.png": "no head",
    }
    assert rows["head.png"]["flag"] in ("ok", "check")
    assert float(rows["head.png"]["hc_mm"]) == pytest.approx(HC_MM, rel=0.05)
    assert "cannot be read" in rows["broken.png"]["reasons"]
    assert list(tmp_path.iterdir()) == []


def test_it_measures_as_a_prediction_does(program, scans, tmp_path):
    done = run_command(program, "measure", scans / "head.png", "--pixel-size", "0.12", "--csv", cwd=tmp_path)
    keys = [f"input={scans}/head.png", "pixel_size_mm=0.12", "output=out"]
    assert run_command(program, "predict", *keys, cwd=tmp_path).returncode == 0
    (row,) = measured(done).values()
    (predicted,) = table(tmp_path / "out" / "predictions.csv")
    assert row == {column: value for column, value in predicted.items() if column in row}
    assert set(predicted) - set(row) == {"mask", "overlay"}


def test_the_table_has_lengths_and_reasons(program, scans, tmp_path):
    wide = {"COLUMNS": "160"}
    done = run_command(program, "measure", *scans.glob("*.png"), "--pixel-size", "0.12", cwd=tmp_path, env=wide)
    assert done.returncode == 0, done.stderr
    for text in ("HC mm", "± 90 %", "BPD", "OFD", "GA", "flag and reasons", "not a medical device", "no head"):
        assert text in done.stdout
    assert "error: " in done.stdout
    assert done.stderr == ""


def test_without_a_pixel_size_it_tells_the_remedy(program, scans, tmp_path):
    done = run_command(program, "measure", scans / "head.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert " px " in done.stdout
    assert "no pixel size is known for head.png: results in pixels; give --pixel-size MM" in done.stderr


def test_a_table_of_pixel_sizes_beside_the_images_counts(program, tmp_path):
    write_image(tmp_path / "scans" / "head.png", drawn_head(DRAWN))
    (tmp_path / "scans" / "pixel_sizes.csv").write_text("filename,pixel size(mm)\nhead.png,0.12\n")
    done = run_command(program, "measure", "scans", "--csv", cwd=tmp_path)
    (row,) = measured(done).values()
    assert (row["pixel_size_mm"], row["pixel_size_source"]) == ("0.12", "csv")


def test_of_several_frames_the_first_is_measured_with_the_pixel_size_of_the_file(program, tmp_path):
    head = drawn_head(DRAWN)
    regions = [region(right=799, bottom=539, delta_cm=0.012)]
    write_dicom(tmp_path / "loop.dcm", np.stack([head, head]), frames=2, SequenceOfUltrasoundRegions=regions)
    done = run_command(program, "measure", "loop.dcm", "--csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = measured(done).values()
    assert float(row["hc_mm"]) == pytest.approx(HC_MM, rel=0.05)
    assert "only the first frame was read" in row["reasons"]


def test_nothing_that_can_be_read_ends_with_2(program, scans, tmp_path):
    done = run_command(program, "measure", scans / "broken.png", cwd=tmp_path)
    assert done.returncode == 2
    assert "error: " in done.stdout
    assert done.stderr.startswith(f"error: {scans}/broken.png: ")
    done = run_command(program, "measure", "nowhere.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nowhere.png: there is no such file or folder; check the name\n"
