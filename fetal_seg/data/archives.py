"""Zip archives, extracted once into a cache: whole or not at all, whatever kills the process."""

import contextlib
import hashlib
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from filelock import FileLock

from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.files import whole_folder
from fetal_seg.progress import track

BLOCK_BYTES = 1 << 20

Members = dict[str, zipfile.ZipInfo]  # by path below the target folder


def extract(archive: Path, cache_dir: Path) -> Path:
    """Extract a zip archive into ``cache_dir/extracted/<stem>-<key of its content>/``, and give that folder.

    What is there already is compared with the archive's directory by names and sizes: it is kept if it is whole,
    replaced if a killed process, a full disk or a person left it incomplete. Of several processes one extracts and
    the others wait for it.

    Raises:
        InputError: the archive is missing, truncated, damaged or encrypted, or has members that would leave the
            folder (nothing is written then), or `cache_dir` cannot be written.
    """
    with _opened(archive) as source:
        members = _members(source, archive)
        target = _target(archive, members, cache_dir)
        if not _is_whole(target, members):
            try:
                _extract_alone(source, members, target)
            except OSError as error:
                megabytes = sum(info.file_size for info in members.values()) / 1e6
                raise InputError(
                    f"{archive} cannot be extracted to {target} ({error.strerror or error}); that folder must be "
                    f"writable and have {megabytes:.0f} MB free; make room or set another cache folder"
                ) from error
    return target


def is_extracted(archive: Path, cache_dir: Path) -> bool:
    """Whether `extract` would find everything in place; raises as `extract` does."""
    with _opened(archive) as source:
        members = _members(source, archive)
    return _is_whole(_target(archive, members, cache_dir), members)


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, open for reading; damage found in it at any time becomes an InputError."""
    if not archive.is_file():
        raise InputError(f"{archive}: there is no such archive; check the name, or download it")
    try:
        with zipfile.ZipFile(archive) as source:
            yield source
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise InputError(
            f"{archive}: the archive cannot be read ({str(error) or type(error).__name__}); it must be a whole, "
            "undamaged zip file; download it again"
        ) from error


def _members(source: zipfile.ZipFile, archive: Path) -> Members:
    """The members that are files.

    Raises:
        InputError: there are none, or some are encrypted, would leave the folder, or are links or devices.
    """
    infos = source.infolist()
    if refused := [info.filename for info in infos if _is_refused(info)]:
        raise InputError(
            f"{archive}: it holds {enumerate_names(refused)}; members must be plain files inside the archive's own "
            "folder, so nothing was extracted; get the archive from its original source"
        )
    if locked := [info.filename for info in infos if info.flag_bits & 1]:
        raise InputError(
            f"{archive}: {enumerate_names(locked)} needs a password; the archive must be readable without one; "
            "extract it by hand"
        )
    members = {str(PurePosixPath(info.filename)): info for info in infos if not info.is_dir()}
    if not members:
        raise InputError(f"{archive}: the archive holds no files; it must hold images; download it again")
    return members


def _is_refused(info: zipfile.ZipInfo) -> bool:
    """Whether a member is neither file nor folder (symbolic links foremost), or its path may lead outside."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    parts = re.split(r"[/\\]", info.filename)
    is_plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)  # 0: archives from Windows say nothing
    return not is_plain or parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", parts[0]) is not None


def _target(archive: Path, members: Members, cache_dir: Path) -> Path:
    content = "\n".join(f"{path}\0{info.file_size}\0{info.CRC}" for path, info in sorted(members.items()))
    key = hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()[:16]
    return cache_dir / "extracted" / f"{archive.stem}-{key}"


def _is_whole(folder: Path, members: Members) -> bool:
    try:
        return all((folder / path).stat().st_size == info.file_size for path, info in members.items())
    except OSError:
        return False


def _extract_alone(source: zipfile.ZipFile, members: Members, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / ".lock"):  # the system gives it back when its holder dies
        for left_over in target.parent.glob(".*-*/"):  # nobody else is at work, so that these are of killed processes
            shutil.rmtree(left_over, ignore_errors=True)
        if not _is_whole(target, members):  # whoever held the lock before may have extracted it
            _extract(source, members, target)


def _extract(source: zipfile.ZipFile, members: Members, target: Path) -> None:
    with whole_folder(target) as temporary:
        for path, info in track(members.items(), f"extracting {target.name.rsplit('-', 1)[0]}", len(members)):
            file = temporary / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as plain:
                for block in _blocks(source, info):
                    plain.write(block)
        shutil.rmtree(target, ignore_errors=True)  # it is incomplete, if it is there
    if not _is_whole(target, members):
        raise OSError("an incomplete folder is in the way; remove it")


def _blocks(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a member; its CRC is checked at the end."""
    try:
        with source.open(info) as packed:
            while block := packed.read(BLOCK_BYTES):
                yield block
    except OSError as error:  # an offset beyond the file, say: damage to the archive, unlike a full disk
        raise zipfile.BadZipFile(str(error)) from error
