"""Every kind of input by the command, and what goes wrong with it."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.commands.predict.scanner_files import grey_of_archive, run_predict, write_scan
from tests.conftest import table


class TestFolder:
    @pytest.fixture(scope="class")
    def measured(self, good, scans, tmp_path_factory):
        folder = tmp_path_factory.mktemp("measured")
        done = run_predict(f"ckpt={good}", f"input={scans}", "every=3", f"output={folder}/out", cwd=folder)
        return folder / "out", done

    def test_every_kind_of_file_is_measured(self, measured):
        rows = table(measured[0] / "predictions.csv")
        assert [(row["file"], row["frame"]) for row in rows] == [
            ("a/b/wide.tif", ""),
            ("a/one.jpg", ""),
            ("a/scan.dcm", ""),
            ("clip.avi", "0"),
            ("clip.avi", "3"),
            ("clip.avi", "6"),
            ("one.png", ""),
        ]
        assert all(row["flag"] in ("ok", "check") for row in rows)
        assert all(float(row["hc_px"]) > 100 for row in rows)

    def test_pixel_sizes_are_those_that_the_files_tell(self, measured):
        rows = {row["file"]: row for row in table(measured[0] / "predictions.csv")}
        dicom, plain = rows["a/scan.dcm"], rows["one.png"]
        assert float(dicom["pixel_size_mm"]) == pytest.approx(0.21)
        assert dicom["pixel_size_source"] == "dicom region"
        assert float(dicom["hc_mm"]) == pytest.approx(0.21 * float(dicom["hc_px"]), rel=1e-4)
        assert plain["hc_mm"] == plain["pixel_size_mm"] == ""
        assert "results in pixels" in plain["reasons"]
        assert float(plain["hc_px"]) == pytest.approx(float(dicom["hc_px"]), rel=1e-4)  # the same picture
        assert "no pixel size is known for" in measured[1].stdout + measured[1].stderr

    def test_json_lines_and_csv_agree(self, measured):
        lines = [json.loads(line) for line in (measured[0] / "predictions.jsonl").read_text().splitlines()]
        rows = table(measured[0] / "predictions.csv")
        assert [line["file"] for line in lines] == [row["file"] for row in rows]
        for line, row in zip(lines, rows, strict=True):
            assert float(row["hc_px"]) == pytest.approx(line["hc_px"], rel=1e-5)
            assert row["mask"] == line["mask"]

    def test_each_row_has_its_own_mask_and_overlay(self, measured):
        rows = table(measured[0] / "predictions.csv")
        for kind in ("mask", "overlay"):
            paths = [row[kind] for row in rows]
            assert len(set(paths)) == len(rows)
            assert all((measured[0] / path).is_file() for path in paths)
        assert rows[0]["mask"] == "masks/a/b/wide.png"
        assert rows[4]["mask"] == "masks/clip.avi/00003.png"
        for row in rows:
            size = Image.open(measured[0] / row["mask"]).size
            assert size == (int(row["width_px"]), int(row["height_px"]))

    def test_the_page_and_the_table_name_every_file(self, measured):
        page = (measured[0] / "report.html").read_text()
        assert all(name in page for name in ("a/b/wide.tif", "a/one.jpg", "a/scan.dcm", "clip.avi", "one.png"))
        assert "wide.tif" in measured[1].stdout
        assert (measured[0] / "contact_sheet.jpg").is_file()
        assert not list(measured[0].glob("*partial*"))


def spoil_empty(path):
    path.with_suffix(".png").write_bytes(b"")


def spoil_huge(path):
    Image.new("1", (20000, 20000)).save(path.with_suffix(".png"))


def spoil_nan(path):
    Image.fromarray(np.full((40, 50), np.nan, np.float32)).save(path.with_suffix(".tif"))


def spoil_dicom(**changes):
    def spoil(path):
        write_scan(path.with_suffix(".dcm"), np.full((40, 50), 9, np.uint8), 0.2, **changes)

    return spoil


def spoil_dicom_without_pixels(path):
    spoil_dicom()(path)
    import pydicom

    header = pydicom.dcmread(path.with_suffix(".dcm"))
    del header.PixelData
    header.save_as(path.with_suffix(".dcm"))


def spoil_video(path):
    path.with_suffix(".mp4").write_bytes(b"\0" * 4000)


UNREADABLE = {
    "0 bytes": (spoil_empty, "cannot be read"),
    "20000 x 20000": (spoil_huge, "400000000 pixels"),
    "NaN": (spoil_nan, "not finite"),
    "another modality": (spoil_dicom(Modality="CT"), "CT"),
    "no pixels": (spoil_dicom_without_pixels, "pixel"),
    "wrong length": (spoil_dicom(PixelData=b"\0" * 100), ""),
    "no video": (spoil_video, "video"),
}


@pytest.fixture(scope="session")
def bad_folder(good, scans, tmp_path_factory):
    """All unreadable files in one folder with a good one, measured."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "in").mkdir()
    for name, (spoil, _) in UNREADABLE.items():
        spoil(folder / "in" / name.replace(" ", "_"))
    shutil.copy(scans / "one.png", folder / "in" / "good.png")
    Image.new("L", (1, 1), 200).save(folder / "in" / "pixel.png")
    Image.new("L", (300, 200), 255).save(folder / "in" / "white.png")
    Image.new("RGBA", (300, 200), (9, 9, 9, 0)).save(folder / "in" / "clear.png")
    noise = np.random.default_rng(0).integers(0, 256, (200, 300), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "in" / "noise.png")
    done = run_predict(f"ckpt={good}", "input=in", "output=out", "pixel_size_mm=5", cwd=folder)
    return {row["file"]: row for row in table(folder / "out" / "predictions.csv")}, done


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_told_and_the_others_go_on(bad_folder, name):
    rows, done = bad_folder
    (row,) = [row for file, row in rows.items() if file.startswith(name.replace(" ", "_"))]
    assert row["flag"] == "error"
    assert UNREADABLE[name][1] in row["reasons"]
    assert row["reasons"].replace("\n", " ")[:60] in (done.stdout + done.stderr).replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert float(rows["good.png"]["hc_mm"]) > 0


def test_an_absurd_pixel_size_is_told(bad_folder):
    row = bad_folder[0]["good.png"]
    assert row["flag"] == "check"
    assert "absurd" in row["reasons"]


@pytest.mark.parametrize("name", ["pixel.png", "white.png", "clear.png"])
def test_nothing_to_see_is_no_head(bad_folder, name):
    row = bad_folder[0][name]
    assert row["flag"] == "no head"
    assert row["hc_mm"] == row["hc_px"] == ""


def test_a_video_that_breaks_off_gives_the_frames_before(good, scans, tmp_path):
    content = (scans / "clip.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: int(0.6 * len(content))])
    run_predict(f"ckpt={good}", "input=cut.avi", "output=o", cwd=tmp_path)
    rows = table(tmp_path / "o" / "predictions.csv")
    assert rows[-1]["flag"] == "error"
    assert 1 < len(rows) < 9
    assert [row["frame"] for row in rows[:-1]] == [str(number) for number in range(len(rows) - 1)]


def test_a_region_in_other_units_is_not_used(good, phantoms, tmp_path):
    from pydicom import dcmread

    with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
        image = grey_of_archive(archive, sorted(archive.namelist())[-1])
    write_scan(tmp_path / "doppler.dcm", image, 0.2)
    header = dcmread(tmp_path / "doppler.dcm")
    header.SequenceOfUltrasoundRegions[0].PhysicalUnitsXDirection = 4
    header.SequenceOfUltrasoundRegions[0].PhysicalUnitsYDirection = 7
    header.save_as(tmp_path / "doppler.dcm")
    run_predict(f"ckpt={good}", "input=doppler.dcm", "output=o", cwd=tmp_path)
    (row,) = table(tmp_path / "o" / "predictions.csv")
    assert row["hc_mm"] == row["pixel_size_mm"] == ""
    assert "other units" in row["reasons"]
