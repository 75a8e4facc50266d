"""Dataclasses that files hold as plain data: nested dicts of numbers, strings and lists, checked when they are read.

Entries that have no field are ignored, so that older programs read what newer ones add.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, StrictFloat, StrictStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

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
    return enumerate_names([_problem(detail) for detail in error.errors(include_url=False)], most=3)


def _problem(detail: ErrorDetails) -> str:
    entry = ".".join(map(str, detail["loc"])) or "what it says of itself"
    if detail["type"] == "missing":
        return f"{entry} is missing"
    rule = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{entry}={str(detail['input'])[:40]!r} is wrong ({rule})"


def _choice(content: Any) -> Any:
    return Choice.from_dict(content) if isinstance(content, Mapping) else content


PlainChoice = Annotated[Choice, BeforeValidator(_choice), PlainSerializer(Choice.to_dict)]  # its name beside its keys
