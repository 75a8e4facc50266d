import errno
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fetal_seg.data import archives
from fetal_seg.data.archives import extract, is_extracted
from fetal_seg.errors import InputError

CONTENT = {f"set/{number:03d}.png": bytes([number]) * (100 + number) for number in range(40)}


def write_zip(path: Path, content: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def entries(cache: Path) -> list[Path]:
    return [path for path in cache.glob("extracted/*") if path.name != ".lock"]


def read_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "set.zip", CONTENT)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def assert_nothing_extracted(cache: Path) -> None:
    assert not list(cache.rglob("*.png"))
    assert entries(cache) == []


def test_content_is_extracted_to_a_folder_named_after_archive_and_content(archive, cache):
    assert not is_extracted(archive, cache)
    folder = extract(archive, cache)
    assert folder.parent == cache / "extracted"
    assert folder.name.startswith("set-")
    assert read_folder(folder) == CONTENT
    assert is_extracted(archive, cache)


def test_nothing_is_extracted_twice(archive, cache, monkeypatch):
    folder = extract(archive, cache)
    monkeypatch.setattr(archives, "_extract", lambda *_: pytest.fail("extracted again"))
    assert extract(archive, cache) == folder


def test_key_follows_the_content_alone(archive, cache, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    stored = write_zip(tmp_path / "elsewhere" / "set.zip", dict(reversed(CONTENT.items())), zipfile.ZIP_STORED)
    changed = write_zip(tmp_path / "elsewhere" / "other.zip", CONTENT | {"set/000.png": b"\1" * 100})
    assert extract(stored, cache) == extract(archive, cache)
    assert extract(changed, cache).name.split("-")[1] != extract(archive, cache).name.split("-")[1]


@pytest.mark.parametrize("damage", ["deleted", "truncated", "folder emptied"])
def test_incomplete_folder_is_extracted_again(archive, cache, damage):
    folder = extract(archive, cache)
    file = folder / "set" / "007.png"
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:50])
    else:
        for path in [file] if damage == "deleted" else folder.rglob("*.png"):
            path.unlink()
    assert not is_extracted(archive, cache)
    assert extract(archive, cache) == folder
    assert read_folder(folder) == CONTENT


KILLED = """
import os, pathlib, signal, sys, zipfile
from fetal_seg.data import archives

opened, original = [], zipfile.ZipFile.open
def dies(self, *args, **kwargs):
    opened.append(args)
    if len(opened) == 11:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *args, **kwargs)
zipfile.ZipFile.open = dies
archives.extract(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


def test_killed_extraction_is_redone_and_its_remains_are_removed(archive, cache):
    process = subprocess.run([sys.executable, "-c", KILLED, str(archive), str(cache)], check=False)
    assert process.returncode == -signal.SIGKILL
    (left_over,) = cache.glob("extracted/.set-*")
    assert 0 < len(read_folder(left_over)) < len(CONTENT)
    assert not is_extracted(archive, cache)

    folder = extract(archive, cache)
    assert read_folder(folder) == CONTENT
    assert entries(cache) == [folder]


def test_two_processes_extract_at_once(tmp_path, cache):
    archive = write_zip(tmp_path / "set.zip", {f"set/{number}.png": os.urandom(5000) for number in range(400)})
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        folders = pool.starmap(extract, [(archive, cache)] * 6, chunksize=1)
    assert len(set(folders)) == 1
    assert len(read_folder(folders[0])) == 400
    assert entries(cache) == [folders[0]]


def test_folder_that_another_process_finished_meanwhile_stays(archive, cache, monkeypatch):
    original, finished = archives._extract_alone, []

    def late(source, members, target):
        monkeypatch.setattr(archives, "_extract_alone", original)
        finished.append((extract(archive, cache) / "set" / "000.png").stat().st_ino)
        original(source, members, target)

    monkeypatch.setattr(archives, "_extract_alone", late)
    folder = extract(archive, cache)
    assert [(folder / "set" / "000.png").stat().st_ino] == finished
    assert entries(cache) == [folder]


@pytest.mark.parametrize(
    "name", ["../out.png", "set/../../out.png", "/out.png", "C:/out.png", "c:out.png", "..\\out.png", "\\out.png"]
)
def test_members_that_leave_the_folder_are_refused_before_anything_is_written(tmp_path, cache, name):
    archive = write_zip(tmp_path / "evil.zip", CONTENT | {name: b"evil"})
    with pytest.raises(InputError, match=r"evil\.zip.*out\.png.*nothing was extracted"):
        extract(archive, cache)
    assert_nothing_extracted(cache)
    assert not list(tmp_path.rglob("out.png"))


def test_symbolic_links_are_refused(archive, cache, tmp_path):
    link = zipfile.ZipInfo("set/link")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as source:
        source.writestr(link, "../../../outside")
    with pytest.raises(InputError, match="set/link"):
        extract(archive, cache)
    assert_nothing_extracted(cache)


def test_truncated_archive(archive, cache):
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"set\.zip.*whole, undamaged zip file; download it again"):
        extract(archive, cache)
    assert_nothing_extracted(cache)


def test_archive_with_its_middle_missing(tmp_path, cache):
    archive = write_zip(tmp_path / "set.zip", CONTENT, zipfile.ZIP_STORED)
    data = archive.read_bytes()
    archive.write_bytes(data[:1000] + data[1500:])
    with pytest.raises(InputError, match="download it again"):
        extract(archive, cache)
    assert_nothing_extracted(cache)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_member_with_wrong_crc(tmp_path, cache, compression):
    archive = write_zip(tmp_path / "set.zip", {"set/a.png": os.urandom(4000)}, compression)
    data = bytearray(archive.read_bytes())
    data[2000] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(InputError, match="download it again"):
        extract(archive, cache)
    assert_nothing_extracted(cache)


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>" * 100])
def test_not_a_zip(tmp_path, cache, data):
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.raises(InputError, match="download it again"):
        extract(tmp_path / "set.zip", cache)


def test_missing_archive(tmp_path, cache):
    with pytest.raises(InputError, match="no such archive"):
        extract(tmp_path / "set.zip", cache)


def test_archive_without_files(tmp_path, cache):
    with pytest.raises(InputError, match="holds no files"):
        extract(write_zip(tmp_path / "set.zip", {"set/": b""}), cache)


def test_encrypted_archive(archive, cache):
    data = bytearray(archive.read_bytes())
    entry = data.index(b"PK\1\2")
    data[entry + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(InputError, match="password"):
        extract(archive, cache)


def test_cache_that_cannot_be_written(archive, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be writable"):
        extract(archive, tmp_path / "file")


def test_full_disk_leaves_nothing(archive, cache, monkeypatch):
    original = Path.open

    def full(path, *args, **kwargs):
        if path.name == "030.png":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InputError, match="No space left on device.*make room"):
        extract(archive, cache)
    assert_nothing_extracted(cache)


def test_archive_in_a_folder_that_cannot_be_written(tmp_path, cache):
    folder = tmp_path / "read-only"
    folder.mkdir()
    archive = write_zip(folder / "set.zip", CONTENT)
    before = folder.stat().st_mtime_ns, archive.stat().st_mtime_ns
    extract(archive, cache)
    assert list(folder.iterdir()) == [archive]
    assert (folder.stat().st_mtime_ns, archive.stat().st_mtime_ns) == before, "something was written there"
