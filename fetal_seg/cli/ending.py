"""How a command ends: what was wrong is told in a sentence and by an exit status, and so is a signal."""

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fetal_seg.cli.signals import START_AGAIN, heeding
from fetal_seg.errors import DivergedError, InputError, Interrupted
from fetal_seg.files import NOT_WRITABLE


@contextmanager
def ending_well(how_to_go_on: Callable[[], str] = lambda: START_AGAIN) -> Iterator[None]:
    """End the process where what is done here cannot go on.

    Args:
        how_to_go_on: gives the line for the user of a command that a signal ended.
    """
    try:
        with heeding():
            yield
            sys.stdout.flush()
    except InputError as error:
        _end(f"error: {error}", 2)
    except BrokenPipeError:
        if not _is_unread():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python would try again at its end
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        if error.errno not in NOT_WRITABLE or not error.filename:
            raise
        _end(f"error: {error.filename} cannot be written ({error.strerror}); make room, or permit it", 2)
    except DivergedError as error:
        _end(f"error: {error}", 1)
    except Interrupted as interrupted:
        _end(None if interrupted.is_told else how_to_go_on(), interrupted.status)
    except KeyboardInterrupt:
        _end(how_to_go_on(), 128 + signal.SIGINT)


def _is_unread() -> bool:
    """Whether nobody reads what is printed any more, as ``head`` after its lines."""
    if not hasattr(select, "poll"):  # Windows
        return True
    ends = select.poll()
    ends.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in ends.poll(0))


def _end(message: str | None, status: int) -> None:
    if message is not None:
        print(message, file=sys.stderr)
    sys.exit(status)
