"""The process in which foreign files are decoded: ``python -m fetal_seg.images.decoding FILE_DESCRIPTOR``.

It is asked by `Decoders` for frames of files, over a socket, and ends with it. What it takes of memory is limited, so
that a damaged header that promises gigabytes is an error like any other.
"""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fetal_seg.errors import InputError
from fetal_seg.images.reader import Frame, read_frames, readers

MOST_MEMORY = 1 << 30  # bytes, beside what the process takes when it starts


@dataclass(frozen=True)
class Request:
    """Which frames of a file are asked for.

    Attributes:
        path, name, every: as `read_frames` takes them.
        first: how many frames are passed over.
        most: how many are given then, at most; None for all.
    """

    path: Path
    name: str
    every: int = 1
    first: int = 0
    most: int | None = None


def main() -> None:
    """Answer requests, each by its frames and None, or by the error that ended them, until nobody asks any more."""
    connection: Connection[Frame | InputError | None, Request] = Connection(int(sys.argv[1]))
    readers()
    _limit_memory()
    while True:
        try:
            for answer in _answers(connection.recv()):
                connection.send(answer)
        except (EOFError, ConnectionError):
            return


def _answers(request: Request) -> Iterator[Frame | InputError | None]:
    end = None if request.most is None else request.first + request.most
    try:
        frames = read_frames(request.path, request.name, request.every)
        yield from itertools.islice(frames, request.first, end)
        yield None
    except InputError as error:
        yield error
    except MemoryError:
        yield InputError(
            f"{request.path}: to decode it takes more than {MOST_MEMORY / 2**30:g} GiB of memory; "
            "make it smaller, or export it again"
        )
    except Exception as error:  # a decoder that raises what it should not
        yield InputError(f"{request.path}: it cannot be decoded ({type(error).__name__}: {error}); export it again")


def _limit_memory() -> None:
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + MOST_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, OSError, ValueError):  # of other systems, which have no such limit, or a lower one already
        return


if __name__ == "__main__":
    main()
