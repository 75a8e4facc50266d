"""What all pages of this project are rendered with."""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import jinja2

Entity = TypeVar("Entity")


def environment() -> jinja2.Environment:
    """Templates of this package; values are escaped, and one that is missing is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("fetal_seg.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@dataclass(frozen=True)
class Cell:
    """A cell of a table that can be sorted.

    Attributes:
        text: what is shown; a dash where it is empty.
        number: to sort by: None in a cell of text, NaN where a number is not known.
    """

    text: str = ""
    number: float | None = None

    @property
    def sort_value(self) -> str:
        """What the page's script sorts by, where it is a number; empty ones come last."""
        return "" if self.number is None or math.isnan(self.number) else str(self.number)


@dataclass(frozen=True)
class Column(Generic[Entity]):
    """A column of a table: its heading with the unit, and the cell of what a row stands for."""

    heading: str
    cell: Callable[[Entity], Cell]


UNKNOWN = Cell("", math.nan)


def number_cell(value: float | None, form: str) -> Cell:
    """A number in the form given, with true minus signs."""
    return UNKNOWN if value is None else Cell(form.format(value).replace("-", "−"), float(value))


def data_uri(content: bytes, kind: str) -> str:
    """A file within a page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
