"""predict.py by its command: every kind of input, every output, and what goes wrong."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import read_grey
from tests.conftest import run_command, table

PREDICTIONS = "file,center_x_px,center_y_px,semi_axis_a_px,semi_axis_b_px,angle_rad,pixel_size_mm,hc_mm,flag,reasons"


class TestPredict:
    @pytest.fixture(scope="class")
    def predicted(self, good, phantoms, cache_dir, tmp_path_factory):
        """The test phantoms, extracted, beside their CSV, as a user has HC18's."""
        folder = tmp_path_factory.mktemp("predicted")
        with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
            archive.extractall(folder)
        shutil.copy(phantoms / "test_set_pixel_size.csv", folder)
        done = run_command("predict.py", f"ckpt={good}", f"input={folder}/test_set", f"output={folder}/out", cwd=folder)
        assert done.returncode == 0, done.stderr
        return folder

    def test_table(self, predicted):
        text = (predicted / "out" / "predictions.csv").read_text()
        assert text.splitlines()[0].startswith(PREDICTIONS)
        sizes = {row["filename"]: row["pixel size(mm)"] for row in table(predicted / "test_set_pixel_size.csv")}
        rows = table(predicted / "out" / "predictions.csv")
        assert [row["file"] for row in rows] == sorted(sizes)
        for row in rows:
            if row["flag"] == "no head":
                assert row["hc_mm"] == row["center_x_px"] == ""
                continue
            size = float(row["pixel_size_mm"])
            assert size == pytest.approx(float(sizes[row["file"]]), rel=1e-5)
            names = ("center_x_px", "center_y_px", "semi_axis_a_px", "semi_axis_b_px", "angle_rad")
            ellipse = Ellipse(*(float(row[name]) for name in names))
            assert float(row["hc_mm"]) == pytest.approx(ellipse.circumference * size, rel=1e-4)
            mask = read_grey(predicted / "out" / "masks" / row["file"]) > 0
            found = ellipse.rasterise(*mask.shape) > 0
            assert 2 * (mask & found).sum() / (mask.sum() + found.sum()) > 0.8

    def test_masks_have_the_images_own_size_and_two_values(self, predicted):
        for path in (predicted / "test_set").iterdir():
            mask = Image.open(predicted / "out" / "masks" / path.name)
            assert mask.size == Image.open(path).size
            assert set(np.unique(np.asarray(mask))) <= {0, 255}

    def test_overlays_and_contact_sheet(self, predicted):
        assert len(list((predicted / "out" / "overlays").iterdir())) == 4
        sheet = np.asarray(Image.open(predicted / "out" / "contact_sheet.png"))
        assert sheet.ndim == 3
        assert sheet.shape[0] > 200

    def test_an_archive_and_an_output_of_its_own(self, good, phantoms, cache_dir, tmp_path):
        done = run_command(
            "predict.py",
            f"ckpt={good}",
            f"input={phantoms}/test_set.zip",
            f"cache_dir={cache_dir}",
            "overlays=false",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        (out,) = (tmp_path / "outputs" / "predict").iterdir()
        rows = table(out / "predictions.csv")
        assert len(rows) == 4
        assert all(row["pixel_size_mm"] for row in rows)
        assert not (out / "overlays").exists()

    @pytest.mark.parametrize(
        ("arguments", "size"), [(["pixel_size_mm=0.2"], 0.2), (["pixel_size_csv={root}/sizes.csv"], 0.3), ([], None)]
    )
    def test_one_image_with_and_without_a_pixel_size(self, good, predicted, tmp_path, arguments, size):
        image = sorted((predicted / "test_set").iterdir())[0]
        (tmp_path / "lone").mkdir()
        shutil.copy(image, tmp_path / "lone" / "scan.png")
        (tmp_path / "sizes.csv").write_text("filename,pixel size(mm)\r\nscan.png,0.3\r\n")
        if size != 0.3:
            (tmp_path / "sizes.csv").unlink()
        done = run_command(
            "predict.py",
            f"ckpt={good}",
            f"input={tmp_path}/lone/scan.png",
            f"output={tmp_path}/out",
            *[argument.format(root=tmp_path) for argument in arguments],
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        (row,) = table(tmp_path / "out" / "predictions.csv")
        assert row["pixel_size_mm"] == ("" if size is None else str(size))
        assert bool(row["hc_mm"]) == (size is not None and row["flag"] != "no head")

    def test_a_black_image_has_no_head(self, good, tmp_path):
        Image.new("L", (300, 200)).save(tmp_path / "black.png")
        done = run_command(
            "predict.py", f"ckpt={good}", f"input={tmp_path}/black.png", f"output={tmp_path}/o", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        (row,) = table(tmp_path / "o" / "predictions.csv")
        assert row["flag"] == "no head"
        assert row["hc_mm"] == ""


def run_predict(*arguments, cwd, env=None):
    """Call predict.py; it must succeed. Gives the process."""
    done = run_command("predict.py", *arguments, cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def scans(phantoms, tmp_path_factory):
    """A folder of a scanner: phantoms as PNG, JPEG, 16-bit TIFF, DICOM and video, in sub-folders."""
    folder = tmp_path_factory.mktemp("scans") / "scanner"
    (folder / "a" / "b").mkdir(parents=True)
    with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
        images = [read_grey_of(archive, name) for name in sorted(archive.namelist()) if name.endswith(".png")]
    Image.fromarray(images[0]).save(folder / "one.png")
    Image.fromarray(images[1]).convert("RGB").save(folder / "a" / "one.jpg", quality=95)
    Image.fromarray(images[2].astype(np.uint16) * 257).save(folder / "a" / "b" / "wide.tif")
    write_dicom(folder / "a" / "scan.dcm", images[0], 0.21)
    write_video(folder / "clip.avi", images * 2)
    return folder


def read_grey_of(archive, name):
    with archive.open(name) as file:
        return np.asarray(Image.open(file).convert("L"))


def write_dicom(path, image, size_mm, **changes):
    """An ultrasound image with a calibrated 2D region."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = image.shape[1] - 1, image.shape[0] - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = size_mm / 10
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = UltrasoundImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.StudyInstanceUID, header.SeriesInstanceUID = generate_uid(), generate_uid()
    header.Modality, header.PatientID, header.PatientName = "US", "1", "A"
    header.Rows, header.Columns = image.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 8, 8, 7, 0
    header.PixelData = image.tobytes() + b"\0" * (image.size % 2)
    header.SequenceOfUltrasoundRegions = [region]
    for name, value in changes.items():
        setattr(header, name, value)
    header.save_as(path, enforce_file_format=True)


def write_video(path, images):
    import cv2

    height, width = images[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5, (width, height))
    for image in images:
        writer.write(np.dstack([np.asarray(Image.fromarray(image).resize((width, height)))] * 3))
    writer.release()


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
        assert (measured[0] / "contact_sheet.png").is_file()
        assert not list(measured[0].glob("*partial*"))


class TestOutputs:
    def test_hc18s_submission_file(self, good, phantoms, cache_dir, tmp_path):
        run_predict(
            f"ckpt={good}",
            f"input={phantoms}/test_set.zip",
            f"cache_dir={cache_dir}",
            "format=hc18",
            "overlays=false",
            f"output={tmp_path}/o",
            cwd=tmp_path,
        )
        rows, sent = table(tmp_path / "o" / "predictions.csv"), table(tmp_path / "o" / "submission.csv")
        names = ["filename", "center_x_mm", "center_y_mm", "semi_axes_a_mm", "semi_axes_b_mm", "angle_rad"]
        assert list(sent[0]) == names
        assert [row["filename"] for row in sent] == [row["file"] for row in rows]
        for row, line in zip(rows, sent, strict=True):
            a, b = float(line["semi_axes_a_mm"]), float(line["semi_axes_b_mm"])
            assert Ellipse(0, 0, a, b, 0).circumference == pytest.approx(float(row["hc_mm"]), rel=1e-4)

    def test_a_gestational_age_gives_centiles_and_a_growth_chart(self, good, scans, tmp_path):
        run_predict(
            f"ckpt={good}",
            f"input={scans}/a/scan.dcm",
            "gestational_age_weeks=20.5",
            f"output={tmp_path}/o",
            cwd=tmp_path,
        )
        (row,) = table(tmp_path / "o" / "predictions.csv")
        assert row["gestational_age_weeks"] == "20.5"
        assert 0 <= float(row["hc_centile"]) <= 100
        assert Image.open(tmp_path / "o" / "growth_chart.png").size[0] > 400

    def test_dicom_objects(self, good, scans, tmp_path):
        import pydicom

        run_predict(
            f"ckpt={good}",
            f"input={scans}/a",
            "dicom=[seg,sr]",
            "pixel_size_mm=0.3",
            f"output={tmp_path}/o",
            cwd=tmp_path,
        )
        assert sorted(path.name for path in (tmp_path / "o" / "dicom").iterdir()) == ["scan_seg.dcm", "scan_sr.dcm"]
        mask = pydicom.dcmread(tmp_path / "o" / "dicom" / "scan_seg.dcm").pixel_array
        ours = read_grey(tmp_path / "o" / "masks" / "scan.png") > 0
        np.testing.assert_array_equal(mask.squeeze() > 0, ours)
        report = pydicom.dcmread(tmp_path / "o" / "dicom" / "scan_sr.dcm")
        assert report.Modality == "SR"

    def test_flips_and_an_ensemble(self, good, scans, tmp_path):
        for name, more in {"one": [], "flips": ["tta=flips"], "three": [f"ckpt=[{good},{good},{good}]"]}.items():
            run_predict(
                f"ckpt={good}",
                f"input={scans}/one.png",
                *more,
                "overlays=false",
                f"output={tmp_path}/{name}",
                cwd=tmp_path,
            )
        one, flips, three = (table(tmp_path / name / "predictions.csv")[0] for name in ("one", "flips", "three"))
        assert float(three["hc_px"]) == pytest.approx(float(one["hc_px"]), rel=1e-4)
        assert flips["hc_px"] != one["hc_px"]
        assert float(flips["hc_px"]) == pytest.approx(float(one["hc_px"]), rel=0.15)

    def test_a_list_file_and_a_glob(self, good, scans, tmp_path):
        (tmp_path / "list.txt").write_text(f"{scans}/one.png\n\n# not this\n{scans}/absent.png\n")
        done = run_predict(f"ckpt={good}", f"input={tmp_path}/list.txt", f"output={tmp_path}/o", cwd=tmp_path)
        rows = table(tmp_path / "o" / "predictions.csv")
        assert [row["flag"] for row in rows] == ["error", rows[1]["flag"]]
        assert "no such file" in rows[0]["reasons"]
        assert "absent.png" in done.stdout + done.stderr
        run_predict(f"ckpt={good}", f"input={scans}/**/*.png", f"output={tmp_path}/g", cwd=tmp_path)
        assert [row["file"].split("/")[-1] for row in table(tmp_path / "g" / "predictions.csv")] == ["one.png"]

    def test_what_cannot_be_made_is_told_and_the_tables_are_there(self, good, scans, tmp_path):
        """A DICOM file without a study has no object; a black image has no place in a submission."""
        (tmp_path / "in").mkdir()
        shutil.copy(scans / "a" / "scan.dcm", tmp_path / "in")
        image = np.asarray(Image.open(scans / "one.png"))
        write_dicom(tmp_path / "in" / "bare.dcm", image, 0.2, StudyInstanceUID="")
        Image.new("L", (300, 200)).save(tmp_path / "in" / "black.png")
        keys = ["input=in", "dicom=[seg,sr]", "format=hc18", "output=o", "pixel_size_mm=0.2"]
        done = run_command("predict.py", f"ckpt={good}", *keys, cwd=tmp_path)
        assert done.returncode == 2
        assert "black.png" in done.stderr
        assert "Traceback" not in done.stderr
        assert "no DICOM object: bare.dcm" in done.stdout + done.stderr
        rows = table(tmp_path / "o" / "predictions.csv")
        assert [row["file"] for row in rows] == ["bare.dcm", "black.png", "scan.dcm"]
        assert sorted(path.name for path in (tmp_path / "o" / "dicom").iterdir()) == ["scan_seg.dcm", "scan_sr.dcm"]
        assert (tmp_path / "o" / "predictions.jsonl").is_file()
        assert not (tmp_path / "o" / "submission.csv").exists()

    def test_a_second_run_leaves_nothing_of_the_first_that_it_does_not_name(self, good, scans, tmp_path):
        out = tmp_path / "o dd, [1]"
        run_predict(f"ckpt={good}", f"input={scans}/a", "gestational_age_weeks=20", f"output={out}", cwd=tmp_path)
        assert (out / "growth_chart.png").is_file()
        run_predict(f"ckpt={good}", f"input={scans}/one.png", f"output={out}", cwd=tmp_path)
        assert [path.name for path in out.rglob("masks/**/*.png")] == ["one.png"]
        assert not (out / "growth_chart.png").exists()
        assert len(table(out / "predictions.csv")) == 1

    def test_what_others_keep_in_the_output_folder_stays(self, good, scans, tmp_path):
        (tmp_path / "o" / "masks").mkdir(parents=True)
        shutil.copy(scans / "one.png", tmp_path / "o" / "masks" / "mine.png")
        (tmp_path / "o" / "submission.csv").write_text("mine")
        run_predict(f"ckpt={good}", f"input={scans}/one.png", f"output={tmp_path}/o", cwd=tmp_path)
        assert (tmp_path / "o" / "masks" / "mine.png").read_bytes() == (scans / "one.png").read_bytes()
        assert (tmp_path / "o" / "submission.csv").read_text() == "mine"


class TestResume:
    def test_a_killed_run_goes_on_and_gives_the_same_tables(self, good, phantoms, tmp_path):
        import signal
        import subprocess
        import sys
        import time

        from tests.conftest import ROOT

        with zipfile.ZipFile(phantoms / "training_set.zip") as archive:
            for name in archive.namelist():
                if name.endswith("HC.png"):
                    for copy in range(4):
                        target = tmp_path / "in" / f"{copy}_{name.split('/')[-1]}"
                        target.parent.mkdir(exist_ok=True)
                        target.write_bytes(archive.read(name))
        arguments = [f"ckpt={good}", "input=in", "pixel_size_mm=0.2"]
        run_predict(*arguments, "output=whole", cwd=tmp_path)
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "predict.py"), *arguments, "output=cut"],
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )
        partial = tmp_path / "cut" / "predictions.partial.jsonl"
        end = time.monotonic() + 60
        while time.monotonic() < end and not (partial.is_file() and partial.stat().st_size):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = partial.read_text().splitlines()
        assert 0 < len(before) < 48
        assert not (tmp_path / "cut" / "predictions.csv").exists()
        run_predict(*arguments, "output=cut", "predict.resume=true", cwd=tmp_path)
        for name in ("predictions.csv", "predictions.jsonl"):
            assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
        assert not list((tmp_path / "cut").rglob(".*.png"))

    def test_more_files_are_added_and_other_settings_refused(self, good, scans, tmp_path):
        (tmp_path / "in").mkdir()
        shutil.copy(scans / "one.png", tmp_path / "in" / "b.png")
        arguments = [f"ckpt={good}", "input=in", "output=o"]
        run_predict(*arguments, cwd=tmp_path)
        shutil.copy(scans / "one.png", tmp_path / "in" / "a.png")
        run_predict(*arguments, "predict.resume=true", cwd=tmp_path)
        assert [row["file"] for row in table(tmp_path / "o" / "predictions.csv")] == ["a.png", "b.png"]
        before = table(tmp_path / "o" / "predictions.csv")
        (tmp_path / "sizes.csv").write_text("filename,pixel size(mm)\r\na.png,0.3\r\n")
        with Image.open(scans / "a" / "one.jpg") as other:
            other.convert("L").save(tmp_path / "in" / "b.png")  # another image by the same name
        run_predict(*arguments, "pixel_size_csv=sizes.csv", "predict.resume=true", cwd=tmp_path)
        after = table(tmp_path / "o" / "predictions.csv")
        assert after[1]["hc_px"] != before[1]["hc_px"]
        assert [row["pixel_size_mm"] for row in after] == ["0.3", ""]
        done = run_command("predict.py", *arguments, "predict.resume=true", "tta=flips", cwd=tmp_path)
        assert done.returncode == 2
        assert "begun with tta=none" in done.stderr
        assert len(table(tmp_path / "o" / "predictions.csv")) == 2


def spoil_empty(path):
    path.with_suffix(".png").write_bytes(b"")


def spoil_huge(path):
    Image.new("1", (20000, 20000)).save(path.with_suffix(".png"))


def spoil_nan(path):
    Image.fromarray(np.full((40, 50), np.nan, np.float32)).save(path.with_suffix(".tif"))


def spoil_dicom(**changes):
    def spoil(path):
        write_dicom(path.with_suffix(".dcm"), np.full((40, 50), 9, np.uint8), 0.2, **changes)

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
        image = read_grey_of(archive, sorted(archive.namelist())[-1])
    write_dicom(tmp_path / "doppler.dcm", image, 0.2)
    header = dcmread(tmp_path / "doppler.dcm")
    header.SequenceOfUltrasoundRegions[0].PhysicalUnitsXDirection = 4
    header.SequenceOfUltrasoundRegions[0].PhysicalUnitsYDirection = 7
    header.save_as(tmp_path / "doppler.dcm")
    run_predict(f"ckpt={good}", "input=doppler.dcm", "output=o", cwd=tmp_path)
    (row,) = table(tmp_path / "o" / "predictions.csv")
    assert row["hc_mm"] == row["pixel_size_mm"] == ""
    assert "other units" in row["reasons"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["input=absent"], "there is no such file"),
        (["input=empty"], "nothing to measure"),
        (["input="], "nothing to measure"),
        (["input=" + 300 * "x"], "cannot be looked up"),
        (["input=good.png", "output=" + 300 * "x"], "cannot be written"),
        (["input=cut.png"], "cannot be read"),
        (["input=good.png", "pixel_size_mm=0.1", "pixel_size_csv=x.csv"], "give one of them"),
        (["input=good.png", "gestational_age_weeks=200"], "a gestational age of 200 weeks"),
        (["input=good.png", "output=good.png/out"], "cannot be written"),
        (["input=good.png", "tta=rotate"], "tta"),
        (["input=good.png", "every=0"], "every"),
        (["input=good.png", "pixel_size_mm=-1"], "pixel_size_mm"),
        (["input=good.png", "pixel_size_mm=inf"], "give a finite number"),
        (["input=good.png", "pixel_size_mm=0,12"], "write a decimal with a point"),
        (["input=pictures", "output=./pictures"], "is what is to be measured; give another folder"),
    ],
)
def test_what_is_refused(arguments, told, good, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "pictures").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:3000])
    before = sorted(tmp_path.rglob("*"))
    done = run_command("predict.py", f"ckpt={good}", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and path not in before] == []


def test_a_disk_that_fills_up_leaves_what_is_whole(good, scans, tmp_path):
    """A limit on the size of files stands for a full disk: an overlay does not fit, the mask and the table do."""
    import resource
    import subprocess
    import sys

    from tests.conftest import ROOT

    done = subprocess.run(
        [sys.executable, str(ROOT / "predict.py"), f"ckpt={good}", f"input={scans}/one.png", "output=o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert "predict.resume=true" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "o" / "overlays").iterdir())
    run_predict(f"ckpt={good}", f"input={scans}/one.png", "output=o", "predict.resume=true", cwd=tmp_path)
    assert len(table(tmp_path / "o" / "predictions.csv")) == 1
