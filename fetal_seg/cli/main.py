"""The program ``fetal-seg``: each command by its name, and what tells of them. Imports nothing that takes time."""

import difflib
import sys
from pathlib import Path

from fetal_seg.cli.ending import ending_well
from fetal_seg.commands.command_line import PROGRAM
from fetal_seg.errors import InputError
from fetal_seg.version import __version__

MEASURE = "measure"  # takes files and options; the others take KEY=VALUE
COMMANDS = {  # and what each is for
    MEASURE: "measure the head in images, with the pretrained weights",
    "predict": "measure many images, with any network: tables, masks, pictures, a page",
    "train": "train a network, or with -m a sweep of them",
    "evaluate": "compare a network with images whose truth is known, or networks with each other",
    "search": "search for the best configuration",
    "report": "rank and compare any trained runs, or fill the reporting checklist of one",
    "export": "write a network as a file for ONNX Runtime or OpenVINO",
}
OPTIONS = ("--help", "--version", "--completion")


def main() -> None:
    """Do what `sys.argv` asks for."""
    first, *rest = sys.argv[1:] or ["--help"]
    with ending_well():
        if first in ("--help", "-h"):
            print(_overview())
        elif first == "--version":
            print(f"{PROGRAM} {__version__}")
        elif first in ("--completion", "--complete"):
            _complete(first, rest)
        elif first == MEASURE:
            from fetal_seg.cli.measure import measure

            measure(rest)
        elif first in COMMANDS:
            from fetal_seg.cli import entry_points

            getattr(entry_points, first)()
        else:
            raise _unknown(first)


def _overview() -> str:
    commands = "\n".join(f"  {name:<10}{purpose}" for name, purpose in COMMANDS.items())
    return f"""Segment the fetal head in 2D ultrasound and measure its circumference.
For research use; not a medical device.

  {PROGRAM} {MEASURE} FILE... [--pixel-size MM]
  {PROGRAM} COMMAND [KEY=VALUE ...]

commands:
{commands}

{PROGRAM} COMMAND --help    tells what a command takes
{PROGRAM} --version
{PROGRAM} --completion bash|zsh|fish    prints what completes commands and keys; eval it, or see docs/install.md"""


def _complete(option: str, rest: list[str]) -> None:
    """Print the script that completes for a shell, or for that script what may end a command line."""
    from fetal_seg.cli.completion import SCRIPTS, endings

    if option == "--complete":
        for word in endings(" ".join(rest)):
            print(word)
    elif len(rest) == 1 and rest[0] in SCRIPTS:
        print(SCRIPTS[rest[0]])
    else:
        raise InputError(f"{' '.join(['--completion', *rest])}: there is none; give one of {', '.join(SCRIPTS)}")


def _unknown(name: str) -> InputError:
    if Path(name).exists():
        return InputError(f"{name} is no command; did you mean {PROGRAM} {MEASURE} {name}?")
    close = difflib.get_close_matches(name, [*COMMANDS, *OPTIONS], n=1)
    guess = f"did you mean {close[0]}?" if close else f"take one of {', '.join(COMMANDS)}"
    return InputError(f"{name} is no command; {guess}")
