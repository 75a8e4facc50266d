"""Files read ahead of what works on them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Content = TypeVar("Content")


def read_ahead(
    items: Sequence[Item], read: Callable[[Item], Content], size: int = 8
) -> Iterator[tuple[Sequence[Item], list[Content]]]:
    """Items in batches of `size`, with what `read` makes of each; the next batch is read while one is worked on."""
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor() as pool:
        ahead = [pool.submit(read, item) for batch in batches[:1] for item in batch]
        for number, batch in enumerate(batches):
            ready = [future.result() for future in ahead]
            ahead = [pool.submit(read, item) for following in batches[number + 1 :][:1] for item in following]
            yield batch, ready
