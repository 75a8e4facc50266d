"""What a checklist asks, and what answers it: a record of the run, a record that is missing, or its author."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fetal_seg.report.checklist.records import Records


class Status(StrEnum):
    """What is left to do for a point."""

    TOLD = "from the records"
    PART = "in part from the records"
    MISSING = "with a missing record"
    AUTHOR = "for the author"


@dataclass(frozen=True)
class Told:
    """What a record of the run says: `text` has values of it, `source` is its file within the run's folder."""

    text: str
    source: str


@dataclass(frozen=True)
class Missing:
    """A file that would tell, `record`, and the command line that makes it."""

    record: str
    command: str


def not_evaluated(records: Records, record: str) -> Missing:
    """A file that the run's own evaluation writes."""
    return Missing(record, records.to_evaluate("evaluation", "calibrate=true"))


def no_checkpoint(records: Records) -> Missing:
    """The checkpoint that the run is judged by."""
    return Missing(f"checkpoints/{records.run.checkpoint.name}", records.to_finish())


Fact = Told | Missing
FactOf = Callable[[Records], Fact]


@dataclass(frozen=True)
class Point:
    """A point of a checklist, in our words.

    Attributes:
        number: of the item in the checklist; "" where we do not know it.
        asks: what is to be reported.
        facts: of the run's records that tell it.
        author: what only a person can add; all of it, where there are no facts.
    """

    number: str
    asks: str
    facts: tuple[FactOf, ...] = ()
    author: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a checklist, with its points."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Checklist:
    """A published checklist.

    Attributes:
        name: of the choice on the command line.
        title: its own.
        citation: of its publication, which has the words of its items.
        doi: of the publication.
        sections: its points; `note` says what is to be known of their numbers, if anything.
    """

    name: str
    title: str
    citation: str
    doi: str
    sections: tuple[Section, ...]
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """A point with what the run's records say of it, and which of them are missing."""

    point: Point
    told: tuple[Told, ...]
    missing: tuple[Missing, ...]

    @property
    def status(self) -> Status:
        """What is left to do."""
        if self.missing:
            return Status.MISSING
        if not self.told:
            return Status.AUTHOR
        return Status.PART if self.point.author else Status.TOLD

    @property
    def asks_author(self) -> bool:
        """Whether a person has something to add."""
        return bool(self.point.author) or not self.point.facts


def answer(point: Point, records: Records) -> Answer:
    """A point, answered by the records of a run."""
    facts = list(dict.fromkeys(fact(records) for fact in point.facts))
    told = tuple(fact for fact in facts if isinstance(fact, Told))
    return Answer(point, told, tuple(fact for fact in facts if isinstance(fact, Missing)))
