"""Progress of long work, on a terminal and in a log alike."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

T = TypeVar("T")
ReportEpoch = Callable[[int, float], bool]  # is given an epoch and its validation Dice; True ends the training


def progress_bar(amount: ProgressColumn) -> Progress:
    """A bar on standard error, with a column that says how much is done; silent in a log."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield `items` while a bar shows how many of `total` are done."""
    with progress_bar(MofNCompleteColumn()) as progress:
        yield from progress.track(items, total=total, description=what)
