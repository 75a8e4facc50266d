"""The exceptions that mean: the input is wrong, or what was asked cannot go on; not: the program is wrong."""

from collections.abc import Sequence


class InputError(ValueError):
    """Bad input, as its user reads it: the value, the rule it breaks and the remedy, in one message.

    Commands print it without a traceback and exit with status 2.
    """


def cause_of(error: Exception) -> str:
    """Why something failed, in one line: with the kind of the error, unless it is one that its user reads."""
    cause = one_line(error, 1000)
    return cause if isinstance(error, InputError) else f"{type(error).__name__}: {cause}"


def enumerate_names(names: Sequence[str], most: int = 5) -> str:
    """The names as one phrase, cut after `most` of them: ``a, b and 7 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def problems_with(names: Sequence[str], sentence: str) -> list[str]:
    """The sentence with the first few names at ``{}``, as a list; an empty list where there are no names."""
    return [sentence.replace("{}", enumerate_names(names))] if names else []


def refuse(problems: Sequence[str]) -> None:
    """Raise an `InputError` of all these sentences, one a line; nothing where there are none."""
    if problems:
        raise InputError("\n".join(problems))


class DivergedError(RuntimeError):
    """A training whose loss is not finite any more; its message is for its user, as that of an `InputError` is."""


class Interrupted(BaseException):  # reason: no error, as KeyboardInterrupt
    """A signal has told a command to end, and what it has is saved.

    Attributes:
        number: of the signal.
        is_told: whether its user was told how to go on.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number, self.is_told = number, False

    @property
    def status(self) -> int:
        """The exit status of what a signal ends."""
        return 128 + self.number


def one_line(said: object, most: int = 200) -> str:
    """A text, or what an exception says, in one line that is not too long."""
    text = " ".join(str(said).split())
    if not text and isinstance(said, BaseException):
        text = type(said).__name__
    return text if len(text) <= most else f"{text[:most]}..."
