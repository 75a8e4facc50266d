"""Files that are either whole or not there, whatever kills the process."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` at the end.

    The folder is created. On an exception the temporary file is removed and `path` stays as it was.
    The temporary name keeps the suffix, since many libraries choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` to fill; rename it to `path` at the end.

    If another process has put a folder at `path` meanwhile, that one stays and ours is dropped:
    use it for folders whose content follows from their name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        yield temporary
        with contextlib.suppress(OSError):  # the other process was first
            temporary.rename(path)
        if not path.is_dir():
            raise OSError(f"{path} could not be created")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_partial_files(folder: Path) -> None:
    """Remove what `whole_file` was writing below `folder` when its process was killed."""
    for path in folder.rglob(".*-????????.*"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
