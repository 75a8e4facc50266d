"""Predictions without a command line, by the command, and what is refused."""

import json
import shutil
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from fetal_seg.commands.predict.command import run
from fetal_seg.config.commands import PredictConfig
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import read_grey
from tests.conftest import run_command, table

PREDICTIONS = "file,center_x_px,center_y_px,semi_axis_a_px,semi_axis_b_px,angle_rad,pixel_size_mm,hc_mm,flag,reasons"


def test_a_prediction_without_a_command_line(good, tmp_path, monkeypatch):
    """The page shows the command that is handed down, whatever the process was called with."""
    monkeypatch.setattr(sys, "argv", ["host"])
    noise = np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    config = PredictConfig(ckpt=str(good), input=str(tmp_path / "a.png"), cache_dir=str(tmp_path / "cache"))
    run(config, tmp_path / "out", ["/somewhere/predict.py", "input=a.png"])
    assert "python predict.py input=a.png" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    settings = json.loads((tmp_path / "out" / "settings.json").read_text(encoding="utf-8"))
    assert settings["ckpt"] == ["best.ckpt"]
    assert settings["every"] == 1


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
        sheet = np.asarray(Image.open(predicted / "out" / "contact_sheet.jpg"))
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
