"""The one exception that means: the input is wrong, not the program."""

from collections.abc import Sequence


class InputError(ValueError):
    """Bad input, as its user reads it: the value, the rule it breaks and the remedy, in one message.

    Commands print it without a traceback and exit with status 2.
    """


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
