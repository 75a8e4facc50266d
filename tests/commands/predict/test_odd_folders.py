"""Folders as they can be: names that are no text or too long, pipes, loops, files that vanish, formulas, company."""

import csv
import json
import os
import shutil
import time

import numpy as np
import pytest

from fetal_seg.images.grey import write_image
from tests.conftest import DRAWN, ROOT, drawn_head, run_command, table
from tests.forking import ForkedCommand


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "head.png"
    write_image(path, drawn_head(DRAWN)[::4, ::4].copy())
    return path


def predict(folder, *arguments, **options):
    return run_command("predict.py", f"input={folder}/in", f"output={folder}/out", *arguments, cwd=folder, **options)


@pytest.fixture
def folder(tmp_path, picture):
    (tmp_path / "in").mkdir()
    shutil.copy(picture, tmp_path / "in" / "good.png")
    return tmp_path


def test_odd_names_are_measured_and_found_again(folder, picture):
    long, deep = "n" * 245 + ".png", "/".join(["d" * 100] * 12)
    shutil.copy(picture, folder / "in" / long)
    (folder / "in" / deep).mkdir(parents=True)
    shutil.copy(picture, folder / "in" / deep / "deep.png")
    shutil.copy(picture, os.fsencode(folder / "in") + b"/caf\xe9.png")
    shutil.copy(picture, folder / "in" / "=1+1.png")
    (folder / "in" / "again").mkdir()
    (folder / "in" / "again" / "loop").symlink_to(folder / "in")
    done = predict(folder)
    assert done.returncode == 0, done.stderr
    rows = {row["file"]: row for row in map(json.loads, (folder / "out/predictions.jsonl").read_text().splitlines())}
    assert set(rows) == {"good.png", long, f"{deep}/deep.png", "caf\\xe9.png", "=1+1.png"}
    assert len({row["hc_px"] for row in rows.values()}) == 1
    for row in rows.values():
        assert (folder / "out" / row["mask"]).is_file()
        assert (folder / "out" / row["overlay"]).is_file()
    with (folder / "out/predictions.csv").open(newline="", encoding="utf-8") as file:
        assert "'=1+1.png" in {row["file"] for row in csv.DictReader(file)}
    masks = {path: path.stat().st_mtime_ns for path in (folder / "out/masks").rglob("*.png")}
    done = predict(folder, "predict.resume=true")
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in (folder / "out/masks").rglob("*.png")} == masks


def test_a_name_that_is_no_utf8_cannot_be_typed(folder):
    done = run_command("predict.py", os.fsdecode(b"input=" + os.fsencode(folder) + b"/caf\xe9.png"), cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: input={folder}/caf\\xe9.png is not UTF-8")
    assert "give the folder that it is in" in done.stderr


def test_a_second_prediction_says_that_it_replaces_the_first(folder):
    assert "replaced" not in predict(folder).stdout
    done = predict(folder)
    assert done.returncode == 0, done.stderr
    assert "holds 1 rows of an earlier prediction, which are replaced; predict.resume=true would keep" in done.stdout


def test_what_is_no_regular_file_costs_its_row(folder):
    os.mkfifo(folder / "in" / "pipe.png")
    os.mkfifo(folder / "in" / "pipe")
    os.mkfifo(folder / "in" / "pixel_size.csv")
    (folder / "in" / "zero.png").symlink_to("/dev/zero")
    (folder / "in" / "broken.png").symlink_to("nowhere")
    done = predict(folder, timeout=100)
    assert done.returncode == 0, done.stderr
    rows = {row["file"]: row for row in table(folder / "out/predictions.csv")}
    assert rows["good.png"]["flag"] != "error"
    assert "it is no regular file" in rows["pipe.png"]["reasons"]
    assert "it is no regular file" in rows["zero.png"]["reasons"]
    assert rows["broken.png"]["flag"] == "error"


def test_names_that_are_written_alike_are_told_apart(folder, picture):
    shutil.copy(picture, os.fsencode(folder / "in") + b"/a\xff.png")
    shutil.copy(picture, folder / "in" / "a\\xff.png")
    done = predict(folder)
    assert done.returncode == 0, done.stderr
    names = [row["file"] for row in table(folder / "out/predictions.csv")]
    assert len(names) == len(set(names)) == 3


def test_a_second_prediction_into_a_folder_is_refused(folder, picture):
    for number in range(120):
        shutil.copy(picture, folder / "in" / f"{number}.png")
    first = ForkedCommand(ROOT / "predict.py", [f"input={folder}/in", f"output={folder}/out"], folder)
    while not (folder / "out/predictions.partial.jsonl").is_file() and first.poll() is None:
        time.sleep(0.01)
    second = predict(folder)
    assert second.returncode == 2
    assert f"another process works in {folder}/out" in second.stderr
    assert first.wait(200) == 0
    assert len(table(folder / "out/predictions.csv")) == 121


def test_files_that_vanish_cost_their_rows(folder, picture):
    """A list names files that are gone when they are read."""
    listed = folder / "in.txt"
    listed.write_text("in/good.png\nin/gone.png\n")
    done = run_command("predict.py", f"input={listed}", f"output={folder}/out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [row["flag"] == "error" for row in table(folder / "out/predictions.csv")] == [True, False]
    assert np.all(["there is no such file" in row["reasons"] for row in table(folder / "out/predictions.csv")][:1])


def test_names_steer_no_terminal(folder, picture):
    shutil.copy(picture, folder / "in" / "a\x1b[31m\nb.png")
    done = predict(folder)
    assert done.returncode == 0, done.stderr
    assert "\x1b[31m" not in done.stdout + done.stderr
    assert {row["file"] for row in table(folder / "out" / "predictions.csv")} == {"good.png", "a\\x1b[31m\\x0ab.png"}
    again = predict(folder, "predict.resume=true")
    assert again.returncode == 0, again.stderr
    assert len(table(folder / "out" / "predictions.csv")) == 2


def test_a_pipe_itself_is_no_input(folder):
    os.mkfifo(folder / "pipe.png")
    done = run_command("predict.py", "input=pipe.png", cwd=folder)
    assert done.returncode == 2
    assert "neither a file nor a folder" in done.stderr
