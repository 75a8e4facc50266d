"""Every output by the command: what is written, and what is left when it goes on or is stopped."""

import resource
import shutil
import signal
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import read_grey
from tests.commands.predict.scanner_files import run_predict, write_scan
from tests.conftest import ROOT, run_command, table
from tests.forking import ForkedCommand


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
        write_scan(tmp_path / "in" / "bare.dcm", image, 0.2, StudyInstanceUID="")
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
        with zipfile.ZipFile(phantoms / "training_set.zip") as archive:
            for name in archive.namelist():
                if name.endswith("HC.png"):
                    for copy in range(4):
                        target = tmp_path / "in" / f"{copy}_{name.split('/')[-1]}"
                        target.parent.mkdir(exist_ok=True)
                        target.write_bytes(archive.read(name))
        arguments = [f"ckpt={good}", "input=in", "pixel_size_mm=0.2"]
        run_predict(*arguments, "output=whole", cwd=tmp_path)
        process = ForkedCommand(ROOT / "predict.py", [*arguments, "output=cut"], tmp_path)
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


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_disk_that_fills_up_leaves_what_is_whole(good, scans, tmp_path):
    """A limit on the size of files stands for a full disk: an overlay does not fit, the mask and the table do."""
    keys = [f"ckpt={good}", f"input={scans}/one.png", "output=o"]
    process = ForkedCommand(ROOT / "predict.py", keys, tmp_path, prepare=limit_files)
    _, errors = process.communicate(120)
    assert process.returncode == 2, errors
    assert "cannot be written" in errors
    assert "predict.resume=true" in errors
    assert "Traceback" not in errors
    assert not list((tmp_path / "o" / "overlays").iterdir())
    run_predict(f"ckpt={good}", f"input={scans}/one.png", "output=o", "predict.resume=true", cwd=tmp_path)
    assert len(table(tmp_path / "o" / "predictions.csv")) == 1
