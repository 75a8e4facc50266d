"""Predictions that are merged: fabricated ones, and the shards of a real one."""

import json

import pytest

from fetal_seg.commands.predict.journal import Journal
from fetal_seg.commands.predict.merging import run
from fetal_seg.config.commands import ReportConfig
from fetal_seg.config.shards import Shard
from fetal_seg.errors import InputError
from tests.commands.predict.scanner_files import run_predict
from tests.conftest import run_command, table

SETTINGS = {"ckpt": ["best.ckpt"], "ckpt_digests": ["abc"], "tta": "none"}


def row(name, **values):
    return {"file": name, "flag": "ok", "frame": None, "hc_mm": 170.25, "mask": f"masks/{name}", **values}


def write(folder, names, shard=None, *, finished=True, **settings):
    """The results of a prediction, or of a shard of one."""
    journal = Journal(
        folder / Shard.from_text(shard).folder if shard else folder,
        SETTINGS | ({"shard": shard} if shard else {}) | settings,
        resume=False,
    )
    journal.add([row(name) if isinstance(name, str) else name for name in names])
    if finished:
        journal.finish()


def merge(*folders, output, **keys):
    config = ReportConfig(predictions=[str(folder) for folder in folders], **keys)
    run(config, output, ["python", "report.py"])
    return [json.loads(line) for line in (output / "predictions.jsonl").read_text().splitlines()]


def shard_folder(folder, text):
    path = folder / Shard.from_text(text).folder
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for text in ("1/3", "2/3", "3/3"):
        shard_folder(tmp_path / "all", text)


def test_shards_become_one_table_by_name(tmp_path):
    write(tmp_path / "all", ["b.png", "d.png"], "1/3")
    write(tmp_path / "all", ["a.png", row("v.avi", frame=10), row("v.avi", frame=9)], "2/3")
    write(tmp_path / "all", [], "3/3")
    rows = merge(tmp_path / "all", output=tmp_path / "all" / "merged")
    assert [(row["file"], row["frame"]) for row in rows] == [
        *(("a.png", None), ("b.png", None), ("d.png", None)),
        *(("v.avi", 9), ("v.avi", 10)),
    ]
    assert rows[0]["mask"] == "../shards/2-of-3/masks/a.png"
    assert [line["file"] for line in table(tmp_path / "all" / "merged" / "predictions.csv")] == [
        row["file"] for row in rows
    ]
    assert "5 images: 5 measured" in (tmp_path / "all" / "merged" / "report.html").read_text()


def test_what_is_missing_is_told_after_what_is_there_was_written(tmp_path):
    write(tmp_path / "all", ["b.png"], "1/3")
    write(tmp_path / "all", ["a.png"], "2/3", finished=False)
    output = tmp_path / "all"
    with pytest.raises(InputError) as told:
        merge(tmp_path / "all", output=output)
    assert "of 3 shards 3 is missing" in str(told.value)
    assert "predict.shard=3/3" in str(told.value)
    assert "2-of-3 is unfinished; go on with it by predict.resume=true" in str(told.value)
    assert [line["file"] for line in table(output / "predictions.csv")] == ["a.png", "b.png"]
    assert "of 3 shards 3 is missing" in (output / "report.html").read_text()
    with pytest.raises(InputError):  # the merged table is no prediction to merge
        merge(tmp_path / "all", output=output)
    assert len(table(output / "predictions.csv")) == 2


def test_a_file_that_was_measured_twice_has_the_row_of_the_first_folder(tmp_path):
    for name, hc_mm in (("x", 100.0), ("y", 200.0)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, [row(f"{number}.png", hc_mm=hc_mm) for number in range(7)] + [row(f"{name}.png")])
    with pytest.raises(InputError, match=r"measured twice: 0\.png, .*4\.png and 2 more; the rows of the first folder"):
        merge(tmp_path / "x", tmp_path / "y", output=tmp_path / "o")
    rows = table(tmp_path / "o" / "predictions.csv")
    assert [line["hc_mm"] for line in rows] == ["100"] * 7 + ["170.25"] * 2


def test_other_settings_are_refused_and_nothing_is_written(tmp_path):
    for name, digest in (("x", "abc"), ("y", "abd")):
        (tmp_path / name).mkdir()
        write(tmp_path / name, [f"{name}.png"], ckpt_digests=[digest], ckpt=[name], overlays=name == "x")
    with pytest.raises(
        InputError, match=r"x was measured with ckpt_digests=\['abc'\], and .*y with ckpt_digests=\['ab"
    ):
        merge(tmp_path / "x", tmp_path / "y", output=tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_damaged_rows_are_told(tmp_path):
    write(tmp_path / "all", ["b.png", "c.png"], "1/3")
    path = shard_folder(tmp_path / "all", "1/3") / "predictions.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="is damaged after"):
        merge(tmp_path / "all", output=tmp_path / "o")


def test_what_cannot_be_merged(tmp_path):
    with pytest.raises(InputError, match="there are no results of predict.py in it"):
        merge(tmp_path / "all", output=tmp_path / "o")
    write(tmp_path / "all", [])
    with pytest.raises(InputError, match="give another folder"):
        merge(tmp_path / "all", output=tmp_path / "all")
    with pytest.raises(InputError, match="nothing was measured"):
        merge(tmp_path / "all", output=tmp_path / "o")


def test_the_page_shows_so_many_rows_and_says_so(tmp_path):
    write(tmp_path / "all", [f"{number:03d}.png" for number in range(50)])
    merge(tmp_path / "all", output=tmp_path / "o", page_rows=20)
    page = (tmp_path / "o" / "report.html").read_text()
    assert "The table shows the first 20 of 50 images; predictions.csv has all of them." in page
    assert page.count('<th scope="row">') == 20
    assert "Head circumference of 50 images" in page


def test_shards_of_an_input_give_the_table_of_the_whole(good, scans, tmp_path):
    arguments = [f"ckpt={good}", f"input={scans}", "pixel_size_mm=0.2", "every=3"]
    run_predict(*arguments, "output=whole", "predict.page_rows=2", "predict.contact_sheets=0", cwd=tmp_path)
    assert "shows the first 2 of" in (tmp_path / "whole" / "report.html").read_text()
    assert not list((tmp_path / "whole").glob("contact_sheet*"))
    for shard in ("1/2", "2/2"):
        run_predict(*arguments, "output=all", f"predict.shard={shard}", cwd=tmp_path)
    done = run_command("report.py", "predictions=[all]", "output=all", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole, merged = (table(tmp_path / name / "predictions.csv") for name in ("whole", "all"))
    places = ("mask", "overlay")
    assert [{key: line[key] for key in line if key not in places} for line in merged] == [
        {key: line[key] for key in line if key not in places} for line in whole
    ]
    assert all((tmp_path / "all" / line[place]).is_file() for line in merged for place in places if line[place])
    for keys in (["predict.shard=3/2", "output=all"], ["predict.shard=1/2"]):
        done = run_command("predict.py", *arguments, *keys, cwd=tmp_path)
        assert done.returncode == 2
        assert "predict.shard=" in done.stderr
        assert "Traceback" not in done.stderr
