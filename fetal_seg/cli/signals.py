"""Signals that end a command, wherever it is, and what to say then: one line that tells how to go on.

A training heeds them itself while it trains, see ``training.interruption``.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from fetal_seg.commands.command_line import as_typed, caller
from fetal_seg.errors import Interrupted

NAMES = ("SIGTERM", "SIGHUP", "SIGUSR2")  # Ctrl-C is Python's own KeyboardInterrupt
START_AGAIN = "interrupted; nothing is half written: start it again"
AGAIN = {  # what makes a command go on in the folder of its results; others start again
    "predict": ("output={}", "predict.resume=true"),
    "search": ("output={}",),
}


@contextmanager
def heeding() -> Iterator[None]:
    """Raise `Interrupted` for these signals, but for those that whoever started the process has it ignore.

    Raises:
        Interrupted: one came.
    """
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)


def how_to_go_on(name: str, line: Sequence[str], folder: Path | None) -> str:
    """A line for the user of a command that was interrupted.

    Args:
        name: of the command.
        line: its command line.
        folder: of its results, if it had come to have one.
    """
    if folder is None or name not in AGAIN or not folder.is_dir():
        return START_AGAIN
    keys = [key.format(folder) for key in AGAIN[name]]
    replaced = {"hydra.run.dir", *(key.partition("=")[0] for key in keys)}
    called = caller(line)
    given = [
        text for argument in line[len(called) :] if (text := argument.lstrip("+")).partition("=")[0] not in replaced
    ]
    return f"interrupted; go on with: {as_typed([*called, *given, *keys])}"


def _raise(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)
