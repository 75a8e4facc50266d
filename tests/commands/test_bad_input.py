"""Every kind of bad data and checkpoint: one sentence, and nothing is left."""

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
from tests.conftest import QUICK, run_command


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
