"""Dataclasses that files hold as plain data: nested dicts of numbers, strings and lists, checked when they are read.

Entries that have no field are ignored, so that older programs read what newer ones add.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, StrictFloat, StrictStr, TypeAdapter, ValidationError

from fetal_seg.config.choices import Choice
from fetal_seg.errors import enumerate_names

Numbers = tuple[StrictFloat, ...]
Names = tuple[StrictStr, ...]


class PlainData:
    """Base of frozen pydantic dataclasses that a file holds."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as nested dicts of numbers, strings and lists."""
        content: dict[str, Any] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return content

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """The reverse of `to_dict`.

        Raises:
            ValidationError: entries are missing or wrong; `wrong_entries` names them.
        """
        read: Self = TypeAdapter(cls).validate_python(content)
        return read


def wrong_entries(error: ValidationError) -> str:
    """Which entries a file lacks, and which are wrong and why, as a part of a sentence."""
    return enumerate_names([_problem(**problem) for problem in error.errors(include_url=False)], most=3)


def _problem(*, type: str, loc: tuple[int | str, ...], msg: str, input: Any, **_: Any) -> str:  # noqa: A002 (pydantic's)
    entry = ".".join(map(str, loc)) or "what it says of itself"
    if type == "missing":
        return f"{entry} is missing"
    rule = msg.removeprefix("Value error, ").removeprefix("Input ")
    return f"{entry}={str(input)[:40]!r} is wrong ({rule})"


def _choice(content: Any) -> Any:
    return Choice.from_dict(content) if isinstance(content, Mapping) else content


PlainChoice = Annotated[Choice, BeforeValidator(_choice), PlainSerializer(Choice.to_dict)]  # its name beside its keys
