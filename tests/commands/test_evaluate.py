"""Evaluation by its command: of a run's own data, of other data, with calibration."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from fetal_seg.commands.evaluate import labels_of
from fetal_seg.data.sources.hc18 import load
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, run_command, table
from tests.run_folders import write_run

PER_IMAGE = (
    "file,examination,dice,iou,hd_mm,hd95_mm,assd_mm,nsd_1mm,"
    "ellipse_dice,ellipse_hd_mm,hc_true_mm,hc_pred_mm,df_mm,adf_mm"
)


class TestEvaluate:
    @pytest.fixture(scope="class")
    def evaluated(self, good, cache_dir, tmp_path_factory):
        folder = tmp_path_factory.mktemp("evaluated")
        done = run_command(
            "evaluate.py", f"ckpt={good}", f"data.cache_dir={cache_dir}", f"output={folder}/out", cwd=folder
        )
        assert done.returncode == 0, done.stderr
        assert "ellipse Dice %" in done.stdout
        return folder / "out"

    def test_it_measures_the_runs_own_validation_part(self, evaluated, good):
        rows = table(evaluated / "per_image.csv")
        assert tuple(row["file"] for row in rows) == read_checkpoint(good).description.split.val
        header = (evaluated / "per_image.csv").read_text().splitlines()[0]
        assert header.startswith(PER_IMAGE)

    def test_summary_agrees_with_the_table(self, evaluated):
        rows, summary = table(evaluated / "per_image.csv"), json.loads((evaluated / "summary.json").read_text())
        assert summary["n"] == len(rows) == 12
        for name in ("dice", "iou", "ellipse_dice", "hc_true_mm"):
            assert summary[name]["mean"] == pytest.approx(np.mean([float(row[name]) for row in rows]), rel=1e-5)
        low, high = summary["dice"]["ci95"]
        assert low <= summary["dice"]["mean"] <= high
        assert sum(summary["by_trimester"][t]["n"] for t in "123") == 12

    def test_heads_are_found_and_their_circumference_is_near(self, evaluated):
        summary = json.loads((evaluated / "summary.json").read_text())
        assert summary["dice"]["median"] > 0.8
        assert summary["adf_mm"]["median"] < 30

    def test_circumferences_are_those_of_the_csv(self, evaluated, cache_dir):
        (truth_csv,) = [
            path for path in cache_dir.glob("phantoms/*/training_set_pixel_size_and_HC.csv") if len(table(path)) == 60
        ]
        truth = {row["filename"]: float(row["head circumference (mm)"]) for row in table(truth_csv)}
        for row in table(evaluated / "per_image.csv"):
            assert float(row["hc_true_mm"]) == pytest.approx(truth[row["file"]], rel=1e-3)

    def test_pictures(self, evaluated):
        for name in ("bland_altman.png", "errors.png", "best_and_worst.png"):
            assert np.asarray(Image.open(evaluated / name)).std() > 5

    def test_another_data_root_is_measured_whole(self, good, phantoms, cache_dir, tmp_path):
        done = run_command(
            "evaluate.py",
            f"ckpt={good}",
            "data=hc18",
            f"data.root={phantoms}",
            f"data.cache_dir={cache_dir}",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        (out,) = (tmp_path / "outputs" / "evaluate").iterdir()
        assert len(table(out / "per_image.csv")) == 12

    @pytest.mark.parametrize(("part", "count"), [("train", 48), ("all", 60)])
    def test_parts(self, good, cache_dir, tmp_path, part, count):
        done = run_command(
            "evaluate.py",
            f"ckpt={good}",
            f"data.part={part}",
            f"data.cache_dir={cache_dir}",
            f"output={tmp_path}/o",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert len(table(tmp_path / "o" / "per_image.csv")) == count

    def test_a_part_that_the_data_do_not_have_is_told(self, good, phantoms, cache_dir, tmp_path):
        done = run_command(
            "evaluate.py",
            f"ckpt={good}",
            "data.part=val",
            f"data.root={phantoms}",
            f"data.cache_dir={cache_dir}",
            cwd=tmp_path,
        )
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


class TestCalibration:
    @pytest.fixture(scope="class")
    def calibrated(self, good, cache_dir, tmp_path_factory):
        """A copy of the checkpoint that was calibrated on its validation images, and that evaluation."""
        folder = tmp_path_factory.mktemp("calibrated")
        shutil.copy(good, folder / "x.ckpt")
        keys = [f"ckpt={folder}/x.ckpt", f"data.cache_dir={cache_dir}", "calibrate=true", f"output={folder}/out"]
        done = run_command("evaluate.py", *keys, cwd=folder)
        assert done.returncode == 0, done.stderr
        return folder

    def test_the_checkpoint_holds_the_scores_of_its_validation_images(self, calibrated, good):
        calibration = read_checkpoint(calibrated / "x.ckpt").description.calibration
        rows = table(calibrated / "out" / "per_image.csv")
        measured = [row for row in rows if row["hc_pred_mm"]]
        scores = sorted(
            abs(float(row["df_mm"]))
            / ((1 - min(float(row["confidence"]), 0.99)) * (float(row["hc_pred_mm"]) / 175) ** 0.5)
            for row in measured
        )
        assert calibration.interval.scores == pytest.approx(scores, rel=1e-3)
        assert read_checkpoint(good).description.calibration is None

    def test_other_images_are_judged_by_it_and_their_coverage_told(self, calibrated, phantoms, cache_dir, tmp_path):
        keys = ["data=hc18", f"data.root={phantoms}", f"data.cache_dir={cache_dir}", f"output={tmp_path}/o"]
        done = run_command("evaluate.py", f"ckpt={calibrated}/x.ckpt", *keys, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = [row for row in table(tmp_path / "o" / "per_image.csv") if row["hc_low_mm"]]
        held = [float(row["hc_low_mm"]) <= float(row["hc_true_mm"]) <= float(row["hc_high_mm"]) for row in rows]
        summary = json.loads((tmp_path / "o" / "summary.json").read_text())
        assert summary["interval"]["images"] == len(rows) > 0
        assert summary["interval"]["coverage"] == pytest.approx(np.mean(held))
        assert "in interval %" in done.stdout

    def test_predictions_have_intervals(self, calibrated, phantoms, cache_dir, tmp_path):
        keys = [f"input={phantoms}/test_set.zip", f"cache_dir={cache_dir}", "overlays=false", f"output={tmp_path}/o"]
        done = run_command("predict.py", f"ckpt={calibrated}/x.ckpt", *keys, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        for row in table(tmp_path / "o" / "predictions.csv"):
            if row["hc_mm"]:
                assert float(row["hc_low_mm"]) < float(row["hc_mm"]) < float(row["hc_high_mm"])

    def test_flips_and_an_ensemble_are_evaluated(self, good, cache_dir, tmp_path):
        keys = [f"data.cache_dir={cache_dir}", "data.limit=4", "ensemble=true", "tta=flips", f"output={tmp_path}/o"]
        done = run_command("evaluate.py", f"ckpt=[{good},{good}]", *keys, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(table(tmp_path / "o" / "per_image.csv")) == 4

    def test_several_checkpoints_cannot_be_calibrated(self, good, cache_dir, tmp_path):
        keys = [f"data.cache_dir={cache_dir}", "calibrate=true"]
        done = run_command("evaluate.py", f"ckpt=[{good},{good}]", *keys, cwd=tmp_path)
        assert done.returncode == 2
        assert "one checkpoint" in done.stderr


def test_the_users_own_folder_trains_and_is_evaluated(phantoms, tmp_path):
    """Filled masks, no pixel sizes: Dice is measured, millimetres are not."""
    (tmp_path / "own" / "images").mkdir(parents=True)
    (tmp_path / "own" / "masks").mkdir()
    for record in load(phantoms, tmp_path / "cache", download=False):
        image, ellipse = record.read_pair()
        Image.fromarray(image).save(tmp_path / "own" / "images" / record.name)
        Image.fromarray(255 * ellipse.rasterise(*image.shape)).save(tmp_path / "own" / "masks" / record.name)
    done = run_command(
        "train.py",
        "data=folder",
        *QUICK[3:],
        f"data.root={tmp_path}/own",
        f"data.cache_dir={tmp_path}/cache",
        f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    rows = table(tmp_path / "run" / "evaluation" / "per_image.csv")
    assert all(0 <= float(row["dice"]) <= 1 for row in rows)
    assert all(row["hc_true_mm"] == row["df_mm"] == "" for row in rows)
    summary = json.loads((tmp_path / "run" / "evaluation" / "summary.json").read_text())
    assert summary["adf_mm"]["mean"] is None


def test_checkpoints_are_named_by_what_their_runs_differ_in(tmp_path):
    runs = [write_run(tmp_path / name, ["model=unet", f"++model.depth={name}"]) for name in "34"]
    assert labels_of([run / "checkpoints" / "best.ckpt" for run in runs]) == ["depth 3", "depth 4"]
    assert labels_of([tmp_path / "a.ckpt"]) == [str(tmp_path / "a.ckpt")]
