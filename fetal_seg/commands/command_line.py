"""Command lines as their user types them: ``python train.py seed=1``, or installed ``fetal-seg train seed=1``.

A command line is a list like `sys.argv`: a script, or the program and the name of a command; then the arguments.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from fetal_seg.files import printable

PROGRAM = "fetal-seg"  # as pyproject.toml calls it


def is_script(line: Sequence[str]) -> bool:
    """Whether a command line calls a script of the repository, not the installed program."""
    return Path(line[0]).suffix == ".py"


def caller(line: Sequence[str]) -> list[str]:
    """The words of a command line that stand before its arguments."""
    return list(line[: 1 if is_script(line) else 2])


def called_alike(line: Sequence[str], name: str, *arguments: str) -> list[str]:
    """The command line of a command, called as that of `line` was."""
    return [f"{name}.py", *arguments] if is_script(line) else [line[0], name, *arguments]


def as_typed(line: Sequence[str]) -> str:
    """A command line for a shell, without the folders of what it calls."""
    program = Path(line[0]).name
    return printable(shlex.join([*(["python"] if is_script(line) else []), program, *line[1:]]))
