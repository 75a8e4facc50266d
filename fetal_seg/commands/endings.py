"""How trainings end: what their record then says, and what their user is told."""

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fetal_seg.commands.command_line import as_typed, called_alike
from fetal_seg.errors import DivergedError, InputError, Interrupted, cause_of
from fetal_seg.evaluation.runs import RunStatus
from fetal_seg.files import NOT_WRITABLE

if TYPE_CHECKING:
    from fetal_seg.training.run_record import RunRecord

logger = logging.getLogger(__name__)

LAST = Path("checkpoints", "last.ckpt")  # from which a run goes on


class Progress(Protocol):
    """How far a training has come: Lightning's trainer."""

    @property
    def current_epoch(self) -> int:
        """Epochs that are done."""

    @property
    def max_epochs(self) -> int | None:
        """Epochs that are to be."""


def _going_on(command_line: Sequence[str], run_dir: Path) -> str:
    """How a run that ends before its time goes on; as long as it has no checkpoint, it starts again."""
    if (run_dir / LAST).is_file():
        return as_typed(called_alike(command_line, "train", f"resume={run_dir}"))
    return as_typed(command_line)


@contextlib.contextmanager
def recorded(
    begin: "Callable[[], RunRecord] | None",
    trainer: Progress,
    run_dir: Path,
    command_line: Sequence[str],
    *,
    tells: bool = True,
) -> "Iterator[RunRecord | None]":
    """Begin a run's record, if it has one, and write into it how it ended, if not as it should.

    Args:
        command_line: of the training.
        tells: whether to tell how an interrupted run goes on, which a search does itself.
    """
    record = None

    def ended(status: RunStatus, cause: str) -> None:
        if record is not None:
            with contextlib.suppress(OSError):  # a full disk, which may be why
                record.add(status=status, cause=cause, epochs=trainer.current_epoch)

    try:
        record = begin() if begin else None
        yield record
    except (Interrupted, KeyboardInterrupt) as told:
        interrupted = told if isinstance(told, Interrupted) else Interrupted(signal.SIGINT)
        when = _when(trainer)
        ended(RunStatus.INTERRUPTED, f"{signal.Signals(interrupted.number).name} {when}")
        if tells:
            logger.info("interrupted %s; go on with: %s", when, _going_on(command_line, run_dir))
        interrupted.is_told = True
        raise interrupted from None
    except DivergedError as error:
        ended(RunStatus.DIVERGED, str(error))
        raise
    except OSError as error:
        ended(RunStatus.FAILED, cause_of(error))
        if error.errno not in NOT_WRITABLE:
            raise
        raise InputError(
            f"{run_dir} cannot be written ({error.strerror}); the checkpoints that are there are whole: make room or "
            f"permit it, and go on with: {_going_on(command_line, run_dir)}"
        ) from error
    except Exception as error:
        ended(RunStatus.FAILED, cause_of(error))
        raise


def _when(trainer: Progress) -> str:
    """How far a training has come, in words."""
    if trainer.max_epochs is not None and trainer.current_epoch >= trainer.max_epochs:
        return "after the last epoch"
    return f"in epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
