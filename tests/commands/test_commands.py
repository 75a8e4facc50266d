"""Evaluate by its command, and every kind of bad data and checkpoint."""

import json
import os
import pickle
import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from fetal_seg.data.sources.hc18 import load
from fetal_seg.images.grey import read_grey
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, run_command, table

PER_IMAGE = (
    "file,examination,dice,iou,hd_mm,hd95_mm,assd_mm,ellipse_dice,ellipse_hd_mm,hc_true_mm,hc_pred_mm,df_mm,adf_mm"
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


def spoil_missing_root(root):
    shutil.rmtree(root)


def spoil_missing_archive(root):
    (root / "training_set.zip").unlink()


def spoil_truncated_archive(root):
    content = (root / "training_set.zip").read_bytes()
    (root / "training_set.zip").write_bytes(content[: len(content) // 2])


def extracted(root):
    with zipfile.ZipFile(root / "training_set.zip") as archive:
        archive.extractall(root)
    (root / "training_set.zip").unlink()
    return root / "training_set"


def first(folder, suffix="HC.png"):
    return sorted(folder.glob(f"*{suffix}"))[0]


def spoil_cut_png(root):
    image = first(extracted(root))
    image.write_bytes(image.read_bytes()[:5000])


def spoil_missing_annotation(root):
    first(extracted(root), "_Annotation.png").unlink()


def spoil_empty_annotation(root):
    annotation = first(extracted(root), "_Annotation.png")
    Image.new("L", Image.open(annotation).size).save(annotation)


def spoil_annotation_size(root):
    annotation = first(extracted(root), "_Annotation.png")
    Image.open(annotation).resize((400, 270)).save(annotation)


def spoil_no_images(root):
    for path in extracted(root).iterdir():
        path.unlink()


def spoil_row(change):
    def spoil(root):
        file = root / "training_set_pixel_size_and_HC.csv"
        header, row, *rest = file.read_bytes().decode().split("\r\n")
        file.write_bytes("\r\n".join([header, *change(row), *rest]).encode())

    return spoil


def pixel_size(value):
    return spoil_row(lambda row: [",".join([row.split(",")[0], value, row.split(",")[2]])])


SPOILED = {
    "missing root": (spoil_missing_root, "there is no such folder"),
    "missing archive": (spoil_missing_archive, "has no training_set.zip"),
    "truncated archive": (spoil_truncated_archive, "training_set.zip"),
    "cut-off PNG": (spoil_cut_png, "the image cannot be read"),
    "missing annotation": (spoil_missing_annotation, "has no annotation"),
    "empty annotation": (spoil_empty_annotation, "the annotation is empty"),
    "annotation of another size": (spoil_annotation_size, "an annotation has the size of its image"),
    "folder without images": (spoil_no_images, "no PNG"),
    "missing row": (spoil_row(lambda row: []), "there is no row for"),
    "pixel size zero": (pixel_size("0"), "pixel size"),
    "pixel size negative": (pixel_size("-0.1"), "pixel size"),
    "pixel size no number": (pixel_size("big"), "pixel size"),
    "pixel size nan": (pixel_size("nan"), "pixel size"),
    "pixel size absent": (pixel_size(""), "pixel size"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_spoiled_data_give_one_sentence_and_leave_nothing(case, phantoms, tmp_path):
    spoil, told = SPOILED[case]
    root, here = tmp_path / "root", tmp_path / "here"
    shutil.copytree(phantoms, root)
    here.mkdir()
    spoil(root)
    done = run_command(
        "train.py", *QUICK[3:], f"data.root={root}", "data.download=false", f"data.cache_dir={tmp_path}/cache", cwd=here
    )
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in here.rglob("*") if path.is_file()] == []
    assert not list(tmp_path.glob("cache/images/*"))


def test_images_of_other_kinds_are_read_as_they_look(phantoms, tmp_path):
    """16-bit, RGB, RGBA and palette files of the same picture give the same grey values, to rounding."""
    root = tmp_path / "root"
    shutil.copytree(phantoms, root)
    folder = extracted(root)
    grey = [read_grey(path) for path in sorted(folder.glob("*HC.png"))]
    paths = sorted(folder.glob("*HC.png"))
    Image.fromarray(grey[0].astype(np.uint16) * 257).save(paths[0])
    Image.fromarray(np.stack([grey[1]] * 3, -1)).save(paths[1])
    Image.fromarray(np.dstack([grey[2]] * 3 + [np.full_like(grey[2], 255)])).save(paths[2])
    Image.fromarray(grey[3]).convert("P").save(paths[3])
    records = load(root, tmp_path / "cache", download=False)
    for record, expected in zip(records[:4], grey, strict=False):
        assert np.abs(record.read_image().astype(int) - expected).max() <= 1


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


def test_without_data_and_offline_one_sentence_says_what_to_do(tmp_path):
    """A proxy that refuses stands in for no network."""
    refusing = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "HC18_ROOT": ""}
    done = run_command(
        "train.py", f"data.root={tmp_path}/hc18", f"data.cache_dir={tmp_path}/cache", cwd=tmp_path, env=refusing
    )
    assert done.returncode == 2
    assert "data=phantom" in done.stderr
    assert "zenodo.org/records/1327317" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def spoil_ckpt_missing(path):
    path.unlink()


def spoil_ckpt_text(path):
    path.write_text("no checkpoint")


def spoil_ckpt_cut(path):
    path.write_bytes(path.read_bytes()[:2000])


def spoil_ckpt_foreign(path):
    torch.save({"state_dict": {}}, path)


def spoil_ckpt_pickle(path):
    path.write_bytes(pickle.dumps({"state_dict": Bomb(path.with_name("ran"))}))


def spoil_ckpt_torch_pickle(path):
    torch.save({"fetal_seg": Bomb(path.with_name("ran"))}, path)


BAD_CHECKPOINTS = [
    (spoil_ckpt_missing, "there is no such file"),
    (spoil_ckpt_torch_pickle, "was not loaded"),
    (spoil_ckpt_text, "is no checkpoint"),
    (spoil_ckpt_cut, "is no checkpoint"),
    (spoil_ckpt_foreign, "of another program"),
    (spoil_ckpt_pickle, "was not loaded"),
]


@pytest.mark.parametrize(
    ("script", "spoil", "told"),
    [("evaluate.py", *case) for case in BAD_CHECKPOINTS]
    + [(script, *case) for script in ("predict.py", "train.py") for case in BAD_CHECKPOINTS[:2]],
)
def test_bad_checkpoints_are_refused_and_their_code_does_not_run(script, spoil, told, good, tmp_path):
    path = tmp_path / "x.ckpt"
    shutil.copy(good, path)
    spoil(path)
    Image.new("L", (64, 64)).save(tmp_path / "image.png")
    arguments = {
        "evaluate.py": [f"ckpt={path}"],
        "predict.py": [f"ckpt={path}", f"input={tmp_path}/image.png"],
        "train.py": [*QUICK, f"ckpt_path={path}"],
    }[script]
    (tmp_path / "here").mkdir()
    done = run_command(script, *arguments, cwd=tmp_path / "here")
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()
    assert [path for path in (tmp_path / "here").rglob("*") if path.is_file()] == []
