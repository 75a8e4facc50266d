"""The one exception that means: the input is wrong, not the program."""


class InputError(ValueError):
    """Bad input, told to its user: the value, the rule it breaks and the remedy, in one message.

    Commands print it without a traceback and exit with status 2.
    """


def enumerate_names(names: list[str], most: int = 5) -> str:
    """The names as one phrase, cut after `most` of them: ``a, b and 7 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
