"""What the results of a file are called: after the file, but apart from those of all others."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from fetal_seg.commands.predict.input_list import temporary_database

LONGEST_PART, LONGEST_PATH = 200, 1000  # bytes of the names of results


def output_stems(names: Iterable[str]) -> Iterator[str]:
    """For each input's name the path of its results without a suffix: its own, made unique where names differ
    in their suffix alone (``a.png`` and ``a.dcm`` give ``a`` and ``a.dcm``), and short enough for any file system."""
    taken = temporary_database()
    taken.execute("CREATE TABLE stems (folded TEXT PRIMARY KEY) WITHOUT ROWID")

    def is_free(stem: str) -> bool:
        return taken.execute("INSERT OR IGNORE INTO stems VALUES (?)", (stem.casefold(),)).rowcount == 1

    for name in names:
        stem, whole = short_stem(str(PurePosixPath(name).with_suffix(""))), short_stem(name)
        candidates = itertools.chain([stem, whole], (f"{whole}_{number}" for number in itertools.count(2)))
        yield next(filter(is_free, candidates))


def short_stem(stem: str) -> str:
    """A path without parts, or a whole, that file systems find too long once a suffix is added."""
    parts = [_cut(part, LONGEST_PART) for part in stem.split("/")]
    short = "/".join(parts)
    return short if len(short.encode()) <= LONGEST_PATH else _cut(stem.replace("/", "_"), LONGEST_PART)


def _cut(text: str, longest: int) -> str:
    """The begin of a text that has more bytes than `longest`, and a digest of all of it."""
    content = text.encode()
    if len(content) <= longest:
        return text
    return content[: longest - 18].decode(errors="ignore") + "~" + hashlib.blake2b(content, digest_size=8).hexdigest()
