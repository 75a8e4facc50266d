"""HC18's files from Zenodo: resumable, checked, whole or not there."""

import contextlib
import hashlib
import http.client
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path

from filelock import FileLock
from rich.progress import DownloadColumn

from fetal_seg.errors import InputError
from fetal_seg.progress import progress_bar

RECORD_ADDRESS = "https://zenodo.org/records/1327317"
FILES_ADDRESS = f"{RECORD_ADDRESS}/files"
MD5 = {
    "training_set.zip": "00eb8198b9a505b2b3a6dfc740382497",
    "training_set_pixel_size_and_HC.csv": "c0761518fece2bd2d2ad4218f2cd9777",
    "test_set.zip": "8402af5d137ef40a2888c1011ef3fe7e",
    "test_set_pixel_size.csv": "8476dc198cc6542f26c57e87faeee033",
}
TIMEOUT_S = 30.0
ATTEMPTS = 6
PAUSE_S = 1.0
RECEIVED_BYTES = 1 << 18

logger = logging.getLogger(__name__)


def fetch(name: str, folder: Path) -> Path:
    """Download one of HC18's files (a key of `MD5`) into `folder`, unless it is there, and give its path.

    The bytes gather in ``<name>.part``, which a later call continues; it gets its name once its MD5 is right.
    Of several processes one downloads and the others wait for it.

    Raises:
        InputError: there is no network, the server refuses, `folder` cannot be written, or the MD5 is wrong.
    """
    target = folder / name
    if target.is_file():
        return target
    part = folder / f"{name}.part"
    new_folders = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f".{name}.lock"):
            if not target.is_file():  # whoever held the lock before may have fetched it
                _download(f"{FILES_ADDRESS}/{name}", part)
                _check(part, name)
                part.replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(_by_hand(name, folder, error)) from error
    finally:
        with contextlib.suppress(OSError):  # they are not empty, or gone
            for path in new_folders:
                path.rmdir()
    return target


def md5_of(path: Path) -> str:
    """MD5 of a file's content, in hexadecimal digits. It finds damage, not malice."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextlib.contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Hold a lock of which no file stays in the user's folder."""
    with FileLock(lock):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows keeps open files; they do no harm
                lock.unlink()


def _download(url: str, part: Path) -> None:
    """Fetch what `part` lacks of `url`, in several goes as long as each brings something."""
    logger.info("downloading %s to %s", url, part.parent)
    with progress_bar(DownloadColumn()) as progress:
        bar = progress.add_task(f"downloading {url.rsplit('/', 1)[-1]}", total=None)
        for attempt in range(1, ATTEMPTS + 1):
            had = _size(part)
            try:
                _continue(url, part, partial(progress.update, bar))
                break
            except (OSError, http.client.HTTPException):
                if _size(part) == had or attempt == ATTEMPTS:
                    raise
            time.sleep(PAUSE_S)


def _continue(url: str, part: Path, show: Callable[..., None]) -> None:
    """Append to `part` what it lacks of `url`; begin again where the server knows no ranges."""
    have = _size(part)
    headers = {"User-Agent": "fetal_seg"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if have and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing comes after what we have: either it is all there, or its MD5 is wrong
        raise
    with response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab" if have else "wb") as file:
            while block := response.read1(RECEIVED_BYTES):
                file.write(block)
                have += len(block)
                show(completed=have, total=total)
    if total is not None and have < total:
        raise ConnectionError(f"the connection ended after {have} of {total} bytes")


def _check(part: Path, name: str) -> None:
    md5 = md5_of(part)
    if md5 != MD5[name]:
        part.unlink()
        raise InputError(
            f"{FILES_ADDRESS}/{name}: the MD5 of what came is {md5}, but Zenodo's file has {MD5[name]}; "
            f"it was removed; try again, or download it by hand from {RECORD_ADDRESS}"
        )


def _by_hand(name: str, folder: Path, error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    status = f"HTTP {error.code}, " if isinstance(error, urllib.error.HTTPError) else ""
    part = name.split("_", 1)[0]  # training or test: the archive is of no use without its CSV
    files = " and ".join(other for other in MD5 if other.startswith(part))
    return (
        f"{FILES_ADDRESS}/{name} cannot be downloaded ({status}{reason}); get {files} by hand from {RECORD_ADDRESS} "
        f"and put them into {folder}, or use data=phantom, which needs no download"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
