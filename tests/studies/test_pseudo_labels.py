import shutil
import subprocess
import sys

import numpy as np

from fetal_seg.config.choices import Choice
from fetal_seg.data.loading import load_records
from fetal_seg.images.grey import write_image
from tests.conftest import ROOT


def label(*arguments):
    command = [sys.executable, "-m", "studies.pseudo_labels", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_sure_labels_make_a_folder_that_trains_and_unsure_ones_do_not(phantoms, cache_dir, tmp_path):
    keys = {"root": phantoms, "images": 12, "test_images": 4, "phantom_seed": 5}
    truths = load_records(Choice("phantom", keys), cache_dir)
    unlabelled, rng = tmp_path / "unlabelled", np.random.default_rng(0)
    unlabelled.mkdir()
    for record in truths[:4]:
        shutil.copy(record.image, unlabelled)
    write_image(unlabelled / "zz.png", rng.integers(0, 255, (540, 800), dtype=np.uint8))
    done = label(tmp_path / "made", "--input", unlabelled)
    assert done.returncode == 0, done.stderr
    made = load_records(Choice("folder", {"root": tmp_path / "made"}), cache_dir)
    assert f"{len(made)} kept" in done.stdout
    assert 1 <= len(made) <= 4
    for record in made:
        truth = truths[int(record.name[:-4])]
        found, _ = record.read_truth()
        true, _ = truth.read_truth()
        assert abs(found.circumference / true.circumference - 1) < 0.05
    again = label(tmp_path / "made", "--input", unlabelled)
    assert again.returncode == 2
