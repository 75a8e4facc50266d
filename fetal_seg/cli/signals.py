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
from fetal_seg.config.shards import folder_of_all
from fetal_seg.errors import Interrupted

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2")
OF_PYTHON = (signal.SIG_DFL, signal.default_int_handler)  # what is there where nobody chose another
UNBROKEN = ("importlib", "_frozen_importlib", "_frozen_importlib_external", "omegaconf")  # an exception breaks them
LATER_S = 0.05
START_AGAIN = "interrupted; nothing is half written: start it again"
AGAIN = {  # what makes a command go on in the folder of its results; others start again
    "predict": ("output={}", "predict.resume=true"),
    "search": ("output={}",),
}


@contextmanager
def heeding() -> Iterator[None]:
    """Raise `Interrupted` for these signals, but for those that whoever started the process has it ignore.

    They wait while a module is imported, since an extension module that is broken off lacks functions afterwards, or
    ends the process by SIGSEGV; and while OmegaConf works, which makes an error of its own of any exception.

    Raises:
        Interrupted: one came.
        KeyboardInterrupt: it was Ctrl-C.
    """
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = {number: handler for number, handler in before.items() if handler in OF_PYTHON}
    for number in heeded:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        if heeded and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in heeded.items():
            signal.signal(number, handler)


def how_to_go_on(name: str, line: Sequence[str], folder: Path | None) -> str:
    """A line for the user of a command that was interrupted.

    Args:
        name: of the command.
        line: its command line.
        folder: of its results, if it had come to have one.
    """
    if folder is None or name not in AGAIN or not folder.is_dir():
        return START_AGAIN
    keys = [key.format(folder_of_all(folder)) for key in AGAIN[name]]
    replaced = {"hydra.run.dir", *(key.partition("=")[0] for key in keys)}
    called = caller(line)
    given = [
        text for argument in line[len(called) :] if (text := argument.lstrip("+")).partition("=")[0] not in replaced
    ]
    return f"interrupted; go on with: {as_typed([*called, *given, *keys])}"


def _raise(number: int, frame: FrameType | None) -> None:
    if _is_unbroken(frame) and hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _, later: _raise(number, later))
        signal.setitimer(signal.ITIMER_REAL, LATER_S)
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    else:
        raise Interrupted(number)


def _is_unbroken(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in UNBROKEN:
            return True
        frame = frame.f_back
    return False
