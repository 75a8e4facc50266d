"""What all pages of this project are rendered with."""

import base64
from dataclasses import dataclass

import jinja2


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
    """A cell of a sortable table: what is shown, and the number to sort by, where it is one."""

    text: str
    number: float | None = None
    is_number: bool = False


def data_uri(content: bytes, kind: str) -> str:
    """A file within a page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
