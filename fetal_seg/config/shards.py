"""A part of an input that is measured by itself, as by a job of an array."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self

from fetal_seg.errors import InputError

FOLDER = "shards"  # in the folder of all results
MOST = 100_000  # jobs that an array has at most, by far


@dataclass(frozen=True)
class Shard:
    """The `number`-th, from 1, of `count` parts of any files: which part a file is in follows from its name alone."""

    number: int
    count: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The shard that is written so: ``3/64``.

        Raises:
            InputError: there is no such shard.
        """
        numbers = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip(), re.ASCII)
        number, count = map(int, numbers.groups()) if numbers else (0, 0)
        if not 1 <= number <= count <= MOST:
            raise InputError(
                f"predict.shard={text}: a shard is NUMBER/COUNT, the number from 1 to the count and that at most "
                f"{MOST}; 3/64 is the third of 64 parts"
            )
        return cls(number, count)

    def __str__(self) -> str:
        """As `from_text` reads it."""
        return f"{self.number}/{self.count}"

    def __contains__(self, name: str) -> bool:
        """Whether a file of this name, below its folder or list, is in this part.

        An accent may be written as one character or as two (Unicode's NFC and NFD).
        """
        content = unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(content, digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    @property
    def folder(self) -> PurePath:
        """Of its results, in that of all: ``shards/03-of-64``."""
        return PurePath(FOLDER, f"{self.number:0{len(str(self.count))}d}-of-{self.count}")


def folder_of_all(folder: Path) -> Path:
    """The folder that all shards share, of the folder of one; any other folder itself."""
    is_of_shard = folder.parent.name == FOLDER and re.fullmatch(r"[0-9]+-of-[0-9]+", folder.name)
    return folder.parent.parent if is_of_shard else folder
