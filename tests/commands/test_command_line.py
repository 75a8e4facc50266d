"""Command lines of scripts and of the program."""

import pytest

from fetal_seg.commands.command_line import as_typed, called_alike, caller, is_script

SCRIPT = ["/repository/train.py", "data.root=a b", "seed=1"]
PROGRAM = ["/environment/bin/fetal-seg", "train", "data.root=a b", "seed=1"]


@pytest.mark.parametrize(
    ("line", "typed", "other"),
    [
        (SCRIPT, "python train.py 'data.root=a b' seed=1", "python predict.py input=x"),
        (PROGRAM, "fetal-seg train 'data.root=a b' seed=1", "fetal-seg predict input=x"),
    ],
)
def test_a_line_is_told_as_it_was_typed(line, typed, other):
    assert as_typed(line) == typed
    assert as_typed(called_alike(line, "predict", "input=x")) == other
    assert [*caller(line), "data.root=a b", "seed=1"] == line


def test_a_script_is_known_by_its_name():
    assert is_script(["train.py"])
    assert not is_script(["fetal-seg", "train.py"])


def test_a_line_steers_no_terminal():
    assert as_typed(["fetal-seg", "predict", "input=\x1b[2J"]) == "fetal-seg predict 'input=\\x1b[2J'"
