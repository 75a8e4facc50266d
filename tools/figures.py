"""Prints every figure that a document quotes from a committed result: document, result, and the figure as recomputed.

python -m tools.figures     exit status 1 where a document and its result disagree

What is not here is of a run whose results are too large to keep: the document has its command beside it.
"""

import sys
from collections.abc import Iterator
from itertools import chain

from tools.quoted import crossvalidation, pretrained, study
from tools.quoted.quote import Quote


def quotes() -> Iterator[Quote]:
    """All quoted figures, recomputed."""
    return chain(pretrained.quotes(), study.quotes(), crossvalidation.quotes())


def main() -> None:
    """Print each, and whether it stands in its document."""
    wrong = 0
    for quote in quotes():
        stands = quote.stands()
        wrong += not stands
        print(f"{'' if stands else 'NOT THERE: '}{quote.document} <- {quote.source}: {quote.text}")
    print(f"{wrong} figures do not stand in their documents" if wrong else "all stand in their documents")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
