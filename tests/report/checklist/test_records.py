from dataclasses import replace

import pytest

from fetal_seg.errors import InputError
from fetal_seg.evaluation.runs import RunStatus
from tests.report.checklist.recorded import records, write_recorded
from tests.run_folders import scores


def test_an_interrupted_run_is_resumed_and_a_lost_one_begun_again(tmp_path):
    folder = write_recorded(tmp_path / "run", status="interrupted")
    assert records(folder).to_finish() == "python train.py data=phantom"
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "last.ckpt").touch()
    assert records(folder).to_finish() == f"train resume={folder}"
    assert records(folder).to_evaluate("evaluation") == f"train resume={folder}"


def test_a_running_run_is_asked_again(tmp_path):
    told = records(write_recorded(tmp_path / "run", status="running"))
    assert replace(told, run=replace(told.run, status=RunStatus.RUNNING)).to_finish() == "report checklist=claim RUN"


def test_an_evaluation_of_an_unfinished_run_is_not_its_result(tmp_path):
    assert not records(write_recorded(tmp_path / "run", scores(0.9), status="interrupted")).summary


@pytest.mark.parametrize(("name", "key"), [("split.json", "train"), ("evaluation/summary.json", "by_trimester")])
def test_a_damaged_record_is_told(name, key, tmp_path):
    folder = write_recorded(tmp_path / "run", scores(0.9))
    (folder / name).write_text('{"n": 24, "kind": "random"}')
    with pytest.raises(InputError, match=rf"{name.split('/')[-1]} is damaged: it has no .*{key}"):
        records(folder)
