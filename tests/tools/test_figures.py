"""What documents quote from committed results is what these results give."""

import re
from collections import Counter

import pytest

from tools.figures import quotes
from tools.quoted.quote import ROOT

QUOTES = list(quotes())


@pytest.mark.parametrize("quote", QUOTES, ids=lambda quote: f"{quote.document}:{quote.text[:40]}")
def test_a_quoted_figure_is_that_of_its_result(quote):
    assert quote.stands(), f"{quote.document} has not: {quote.text} (from {quote.source})"


def test_a_document_with_another_figure_is_found():
    for quote in QUOTES:
        digits = re.search(r"\d(?=[^\d]*$)", quote.text)
        other = quote.text[: digits.start()] + str((int(digits[0]) + 1) % 10) + quote.text[digits.end() :]
        document = (ROOT / quote.document).read_text(encoding="utf-8")
        document = document if quote.row else " ".join(document.split())
        assert not quote.stands_in(document.replace(quote.text, other)), quote.text


def test_every_committed_result_is_quoted():
    results = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.csv")}
    quoted = Counter(quote.source for quote in QUOTES)
    assert results <= set(quoted)
    assert {"README.md", "docs/index.md", "docs/model_card.md"} <= {quote.document for quote in QUOTES}


def test_each_row_of_the_tables_of_the_study_is_recomputed():
    """A row that is added by hand has no result."""
    study = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    rows = [line for line in study.splitlines() if re.match(r"\| .*\d\d\.\d\d.*\|$", line) and "before" not in line]
    known = {quote.text for quote in QUOTES}
    changed = study[study.index("## What changed since") :].splitlines()  # of an earlier commit
    assert rows
    assert not [line for line in rows if line not in known and line not in changed]
