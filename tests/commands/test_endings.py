"""How a training's end is written down and told, without a training."""

import errno
import logging
import signal

import pytest

from fetal_seg.commands.endings import LAST, recorded
from fetal_seg.errors import DivergedError, InputError, Interrupted
from fetal_seg.evaluation.runs import RunStatus


class Record:
    def __init__(self):
        self.facts = {}

    def add(self, **facts):
        self.facts |= facts


class Trainer:
    current_epoch, max_epochs = 2, 5


LINE = ["train.py", "data.root=a b"]


def end_with(error, run_dir, line=LINE, trainer=Trainer, **options):
    record = Record()
    with recorded(lambda: record, trainer(), run_dir, line, **options) as given:
        assert given is record
        raise error
    return record


@pytest.mark.parametrize(
    ("error", "status"),
    [(DivergedError("the loss"), RunStatus.DIVERGED), (RuntimeError("the sky"), RunStatus.FAILED)],
)
def test_an_error_is_written_down_and_goes_on(error, status, tmp_path):
    record = Record()
    with pytest.raises(type(error)), recorded(lambda: record, Trainer(), tmp_path, LINE):
        raise error
    assert record.facts["status"] == status
    assert record.facts["epochs"] == 2


@pytest.mark.parametrize(("error", "number"), [(Interrupted(signal.SIGTERM), 15), (KeyboardInterrupt(), 2)])
@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_what_is_interrupted_tells_the_command_that_works(error, number, has_checkpoint, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    if has_checkpoint:
        (tmp_path / LAST).parent.mkdir()
        (tmp_path / LAST).touch()
    with pytest.raises(Interrupted) as raised:
        end_with(error, tmp_path)
    assert (raised.value.number, raised.value.is_told) == (number, True)
    command = f"python train.py resume={tmp_path}" if has_checkpoint else "python train.py 'data.root=a b'"
    assert caplog.messages == [f"interrupted in epoch 3 of 5; go on with: {command}"]


def test_a_search_tells_it_itself(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(Interrupted):
        end_with(Interrupted(15), tmp_path, tells=False)
    assert caplog.messages == []


def test_a_full_disk_is_bad_input_and_any_other_trouble_is_not(tmp_path):
    with pytest.raises(InputError, match="No space left"):
        end_with(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    with pytest.raises(OSError, match="broken"):
        end_with(OSError(errno.EIO, "broken"), tmp_path)
