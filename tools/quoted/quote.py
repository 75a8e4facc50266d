"""A figure as a document shall have it, and whether it stands there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetal_seg.evaluation.comparison import signed

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Quote:
    """A quoted figure.

    Attributes:
        document: its path in the repository.
        text: as recomputed; a line of a table, or a part of a sentence.
        source: the committed result.
        row: what the line begins with; anywhere where it is "".
    """

    document: str
    text: str
    source: str
    row: str = ""

    def stands_in(self, document: str) -> bool:
        """Whether a document's text has it; a sentence may be broken over lines."""
        if not self.row:
            return self.text in " ".join(document.split())
        return any(line.startswith(self.row) and self.text in line for line in document.splitlines())

    def stands(self) -> bool:
        """Whether it stands in its document."""
        return self.stands_in((ROOT / self.document).read_text(encoding="utf-8"))


def row_of(cells: Sequence[str]) -> str:
    """Cells as a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def interval(mean: float, low: float, high: float, scale: float = 1.0) -> str:
    """``1.83 (1.60 to 2.09)``."""
    return f"{signed(scale * mean)} ({signed(scale * low)} to {signed(scale * high)})"


def of_summary(figure: Mapping[str, Any], scale: float = 1.0) -> str:
    """The same of an entry of a summary."""
    return interval(figure["mean"], *figure["ci95"], scale)


def plus(value: float) -> str:
    """``+0.96`` or ``−0.35``."""
    return signed(value) if value < 0 else f"+{signed(value)}"
