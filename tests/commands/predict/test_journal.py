import json
import os

import pytest

from fetal_seg.commands.predict.journal import FINISHED, PARTIAL, Journal
from fetal_seg.commands.predict.journal import SETTINGS as SETTINGS_FILE
from fetal_seg.errors import InputError
from fetal_seg.inference.runtime import UsedRuntime

ROWS = [{"file": f"{name}.png", "frame": None, "flag": "ok", "hc_mm": 170.25} for name in "abc"]
SETTINGS = {"ckpt": ["x.ckpt"], "tta": "none"}


def measured(journal):
    return {(row["file"], row["frame"]) for row in journal.rows}


def lines(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_rows_are_on_the_disk_when_they_are_added(tmp_path):
    journal = Journal(tmp_path, SETTINGS, resume=False)
    journal.add(ROWS[:2])
    assert lines(tmp_path, PARTIAL) == ROWS[:2]
    assert not (tmp_path / FINISHED).exists()
    journal.add(ROWS[2:])
    journal.finish()
    assert lines(tmp_path, FINISHED) == ROWS
    assert not (tmp_path / PARTIAL).exists()


@pytest.mark.parametrize("cut", [2, 20, 60])
def test_a_killed_run_goes_on_after_its_last_whole_row(tmp_path, cut):
    Journal(tmp_path, SETTINGS, resume=False).add(ROWS[:2])
    content = (tmp_path / PARTIAL).read_bytes()
    (tmp_path / PARTIAL).write_bytes(content[:-cut])
    journal = Journal(tmp_path, SETTINGS, resume=True)
    assert measured(journal) == {("a.png", None)}
    assert journal.frames_of("a.png") == {None}
    assert journal.frames_of("b.png") == set()
    journal.add(ROWS[1:])
    assert lines(tmp_path, PARTIAL) == ROWS


def test_a_finished_run_goes_on_with_more_files(tmp_path):
    journal = Journal(tmp_path, SETTINGS, resume=False)
    journal.add(ROWS[:2])
    journal.finish()
    journal = Journal(tmp_path, SETTINGS, resume=True)
    assert len(journal.rows) == 2
    journal.add(ROWS[2:])
    journal.finish()
    assert lines(tmp_path, FINISHED) == ROWS


def test_without_resume_it_begins_anew_and_keeps_what_was_finished_until_it_is_done(tmp_path):
    journal = Journal(tmp_path, SETTINGS, resume=False)
    journal.add(ROWS)
    journal.finish()
    journal = Journal(tmp_path, SETTINGS, resume=False)
    assert list(journal.rows) == []
    journal.add(ROWS[:1])
    assert lines(tmp_path, FINISHED) == ROWS
    journal.finish()
    assert lines(tmp_path, FINISHED) == ROWS[:1]


def test_what_could_not_be_read_is_tried_again(tmp_path):
    Journal(tmp_path, SETTINGS, resume=False).add([*ROWS[:1], {"file": "bad.png", "frame": None, "flag": "error"}])
    assert measured(Journal(tmp_path, SETTINGS, resume=True)) == {("a.png", None)}


def test_other_settings_are_refused_and_nothing_is_lost(tmp_path):
    Journal(tmp_path, SETTINGS, resume=False).add(ROWS)
    with pytest.raises(InputError, match="begun with tta=none"):
        Journal(tmp_path, {**SETTINGS, "tta": "flips"}, resume=True)
    assert lines(tmp_path, PARTIAL) == ROWS


def test_a_row_that_was_written_in_part_is_taken_back(tmp_path, monkeypatch):
    import pathlib

    journal = Journal(tmp_path, SETTINGS, resume=False)
    journal.add(ROWS[:1])
    really_open = pathlib.Path.open

    class Filling:
        """A file on a disk with room for ten more characters."""

        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, text):
            self.file.write(text[:10])
            self.file.flush()
            raise OSError(28, os.strerror(28))

    def opened(path, mode="r", *rest, **keys):
        file = really_open(path, mode, *rest, **keys)
        return Filling(file) if mode == "ab" else file

    monkeypatch.setattr(pathlib.Path, "open", opened)
    with pytest.raises(OSError, match="No space left"):
        journal.add(ROWS[1:])
    monkeypatch.undo()
    assert lines(tmp_path, PARTIAL) == ROWS[:1]


def test_rows_come_in_the_order_of_the_inputs_with_errors_after_frames(tmp_path):
    def row(file, frame, flag="ok"):
        return {"file": file, "frame": frame, "flag": flag}

    order = [row("b", None), row("a", 0), row("a", 7), row("a", 12), row("a", None, "error")]
    journal = Journal(tmp_path, SETTINGS, resume=False, position="ba".index)
    journal.add(order[:0:-1])
    journal.add(order[:1])
    assert list(journal.rows) == order
    assert len(journal.rows) == 5
    assert order[2] in journal.rows
    assert journal.frames_of("a") == {0, 7, 12, None}
    journal.finish()
    assert list(journal.rows) == lines(tmp_path, FINISHED) == order
    assert len(journal.rows) == 5


def test_pictures_that_no_row_names_any_more_are_stale(tmp_path):
    before = [{**row, "mask": f"masks/{row['file']}", "overlay": f"overlays/{row['file']}"} for row in ROWS]
    journal = Journal(tmp_path, SETTINGS, resume=False)
    assert (journal.earlier, list(journal.stale_pictures())) == (0, [])
    journal.add(before)
    journal.finish()
    journal = Journal(tmp_path, SETTINGS, resume=False)
    journal.add([{**ROWS[0], "mask": "masks/a.png"}, *before[1:]])
    assert (journal.earlier, list(journal.stale_pictures())) == (3, ["overlays/a.png"])


def test_a_run_may_go_on_with_another_runtime_and_tells_all(tmp_path):
    first, second = UsedRuntime("PyTorch 2.14.1, float32"), UsedRuntime("OpenVINO 2026.4.1, float32", "proven")
    Journal(tmp_path, SETTINGS, resume=False, used=[first]).add(ROWS[:1])
    for _ in range(2):
        journal = Journal(tmp_path, SETTINGS, resume=True, used=[second])
        assert journal.used == [first, second]
    told = json.loads((tmp_path / SETTINGS_FILE).read_text())["runtime"]
    assert [entry["name"] for entry in told] == [first.name, second.name]
    assert Journal(tmp_path, SETTINGS, resume=False, used=[second]).used == [second]


def test_a_run_of_a_version_that_told_no_runtime_goes_on(tmp_path):
    Journal(tmp_path, SETTINGS, resume=False).add(ROWS[:1])
    (tmp_path / SETTINGS_FILE).write_text(json.dumps(SETTINGS))
    assert len(Journal(tmp_path, SETTINGS, resume=True, used=[UsedRuntime("PyTorch")]).rows) == 1
