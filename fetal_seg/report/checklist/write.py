"""A checklist of a run as files: Markdown to go on with, HTML to look at."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.files import write_text
from fetal_seg.report.checklist.claim import CLAIM
from fetal_seg.report.checklist.points import Answer, Checklist, Status, answer
from fetal_seg.report.checklist.records import Records
from fetal_seg.report.checklist.ridge import RIDGE
from fetal_seg.report.checklist.tripod_ai import TRIPOD_AI
from fetal_seg.report.page import environment

CHECKLISTS = {checklist.name: checklist for checklist in (CLAIM, TRIPOD_AI, RIDGE)}


@dataclass(frozen=True)
class AnsweredSection:
    """A section with its points answered."""

    title: str
    answers: tuple[Answer, ...]


def write_checklist(folder: Path, checklist: Checklist, records: Records) -> tuple[Path, Path]:
    """Write ``checklist_NAME.md`` and ``checklist_NAME.html``, which needs no other file; returns both."""
    answered = [
        AnsweredSection(section.title, tuple(answer(point, records) for point in section.points))
        for section in checklist.sections
    ]
    files = (folder / f"checklist_{checklist.name}.md", folder / f"checklist_{checklist.name}.html")
    write_text(files[0], as_markdown(checklist, records, answered))
    write_text(files[1], as_html(checklist, records, answered))
    return files


def counts(answered: Sequence[AnsweredSection]) -> str:
    """``44 points: 20 from the records, ...``."""
    by_status = Counter(one.status for section in answered for one in section.answers)
    shown = ", ".join(f"{by_status[status]} {status}" for status in Status if by_status[status])
    return f"{by_status.total()} points: {shown}"


def as_markdown(checklist: Checklist, records: Records, answered: Sequence[AnsweredSection]) -> str:
    """The document as Markdown; values of the records are escaped."""
    lines = [f"# {escaped(checklist.title)}", "", f"Of the run `{records.run.folder.name}`. {counts(answered)}.", ""]
    lines += [f"Cite: {escaped(checklist.citation)}, https://doi.org/{checklist.doi}. The words below are ours.", ""]
    lines += [checklist.note, ""] if checklist.note else []
    for section in answered:
        lines += [f"## {section.title}", ""]
        for one in section.answers:
            number = f"{one.point.number}. " if one.point.number else ""
            lines += [f"### {number}{one.point.asks}", "", f"*{one.status}*", ""]
            lines += [f"- {escaped(fact.text)} ({_files(fact.source)})" for fact in one.told]
            for missing in one.missing:
                lines += [
                    f"- **Missing:** {escaped(missing.record)}. This makes it:",
                    "",
                    f"      {missing.command}",
                    "",
                ]
            lines += [f"- **For the author:** {one.point.author or '…'}"] if one.asks_author else []
            lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def as_html(checklist: Checklist, records: Records, answered: Sequence[AnsweredSection]) -> str:
    """The document as a page."""
    return environment().get_template("checklist.html.j2").render(
        checklist=checklist,
        run=records.run,
        sections=answered,
        counts=counts(answered),
    )  # fmt: skip


def _files(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", "))


def escaped(text: str) -> str:
    """Text in which nothing is a mark of Markdown or HTML, in one line."""
    plain = re.sub(r"([\\`*_\[\]|])", r"\\\1", " ".join(text.split()))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
