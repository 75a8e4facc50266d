"""How a command ends: its exit status, and the line that its user reads."""

import errno
import os
import signal

import pytest

from fetal_seg.cli.ending import ending_well
from fetal_seg.errors import DivergedError, InputError, Interrupted


def told(interrupted):
    interrupted.is_told = True
    return interrupted


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("too deep"), 2, "error: too deep\n"),
        (OSError(errno.ENOSPC, "full", "/a"), 2, "error: /a cannot be written (full); make room, or permit it\n"),
        (DivergedError("the loss"), 1, "error: the loss\n"),
        (Interrupted(signal.SIGTERM), 143, "start it again\n"),
        (told(Interrupted(signal.SIGTERM)), 143, ""),
        (KeyboardInterrupt(), 130, "start it again\n"),
    ],
)
def test_an_end_has_a_status_and_a_line(error, status, line, capsys):
    with pytest.raises(SystemExit) as ended, ending_well(lambda: "start it again"):
        raise error
    assert ended.value.code == status
    assert capsys.readouterr() == ("", line)


def test_a_bug_is_a_traceback():
    with pytest.raises(OSError, match="a device"), ending_well():
        raise OSError(errno.EIO, "a device")
    with pytest.raises(ZeroDivisionError), ending_well():
        _ = 1 / 0


def test_a_signal_is_heeded(capsys):
    with pytest.raises(SystemExit) as ended, ending_well():
        os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == 143
    assert "nothing is half written" in capsys.readouterr().err
