import hashlib
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fetal_seg.data import download
from fetal_seg.data.download import fetch
from fetal_seg.errors import InputError

NAME = "training_set.zip"
DATA = os.urandom(100_000)


class Server(ThreadingHTTPServer):
    """Serves DATA; breaks the connection after `breaks_after` bytes of each answer, and notes what was asked for."""

    knows_ranges = True
    breaks_after: int | None = None
    status: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []
        self.paths: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers["Range"]
        server.ranges.append(asked)
        server.paths.append(self.path)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and server.knows_ranges else 0
        if server.status or start >= len(DATA):
            self.send_error(server.status or 416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        self.wfile.write(DATA[start:][: server.breaks_after])

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(download, "FILES_ADDRESS", f"http://127.0.0.1:{server.server_port}/records/1/files")
        monkeypatch.setattr(download, "PAUSE_S", 0.0)
        monkeypatch.setitem(download.MD5, NAME, hashlib.md5(DATA).hexdigest())
        yield server
        server.shutdown()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_fetched_once_into_a_new_folder(server, tmp_path):
    path = fetch(NAME, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / NAME
    assert path.read_bytes() == DATA
    assert server.paths == [f"/records/1/files/{NAME}"]
    assert names(path.parent) == [NAME]

    assert fetch(NAME, path.parent) == path
    assert len(server.paths) == 1


def test_download_goes_on_where_an_earlier_one_ended(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(DATA[:60_000])
    assert fetch(NAME, tmp_path).read_bytes() == DATA
    assert server.ranges == ["bytes=60000-"]
    assert names(tmp_path) == [NAME]


def test_download_goes_on_when_the_server_breaks_off(server, tmp_path):
    server.breaks_after = 40_000
    assert fetch(NAME, tmp_path).read_bytes() == DATA
    assert server.ranges == [None, "bytes=40000-", "bytes=80000-"]


def test_server_that_breaks_off_too_often_leaves_a_part_for_the_next_call(server, tmp_path):
    server.breaks_after = 10_000
    with pytest.raises(InputError, match=f"ended after {download.ATTEMPTS * 10_000} of 100000 bytes.*by hand"):
        fetch(NAME, tmp_path)
    assert names(tmp_path) == [f"{NAME}.part"]
    assert fetch(NAME, tmp_path).read_bytes() == DATA


def test_server_that_ignores_ranges_begins_again(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 60_000)
    assert fetch(NAME, tmp_path).read_bytes() == DATA
    assert server.ranges == ["bytes=60000-"]


def test_server_that_ignores_ranges_and_breaks_off_is_given_up(server, tmp_path):
    server.knows_ranges, server.breaks_after = False, 40_000
    with pytest.raises(InputError, match="ended after 40000 of 100000 bytes"):
        fetch(NAME, tmp_path)
    assert len(server.ranges) == 2


def test_part_that_is_complete_already(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(DATA)
    assert fetch(NAME, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("part", [b"", b"x" * 50_000, b"x" * 200_000])
def test_wrong_md5_removes_the_file(server, tmp_path, monkeypatch, part):
    if part:
        (tmp_path / f"{NAME}.part").write_bytes(part)
    else:
        monkeypatch.setitem(download.MD5, NAME, "0" * 32)
    with pytest.raises(InputError, match="MD5 of what came is .* try again"):
        fetch(NAME, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 429, 503])
def test_server_that_refuses(server, tmp_path, status):
    server.status = status
    with pytest.raises(InputError, match=f"HTTP {status}.*https://zenodo.org/records/1327317"):
        fetch(NAME, tmp_path)
    assert len(server.paths) == 1
    assert names(tmp_path) == []


def test_offline_tells_in_one_sentence_what_to_do(server, tmp_path, monkeypatch):
    server.shutdown()
    server.server_close()
    folder = tmp_path / "new" / "folder"
    with pytest.raises(InputError) as caught:
        fetch(NAME, folder)
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "refused",
        "https://zenodo.org/records/1327317",
        "training_set.zip and training_set_pixel_size_and_HC.csv",
        str(folder),
        "data=phantom",
    ):
        assert part in message
    assert names(tmp_path) == [], "nothing is left, not even the folder"


def test_server_that_says_nothing_is_given_up(tmp_path, server, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.2)
    release = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda _self: release.wait(10))
    with pytest.raises(InputError, match="timed out"):
        fetch(NAME, tmp_path)
    release.set()


def test_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be downloaded"):
        fetch(NAME, tmp_path / "file" / "folder")


def test_two_at_once_download_once(server, tmp_path):
    threads = [threading.Thread(target=fetch, args=(NAME, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (tmp_path / NAME).read_bytes() == DATA
    assert len(server.paths) == 1
    assert names(tmp_path) == [NAME]


def test_addresses_and_files_are_zenodos():
    assert download.FILES_ADDRESS == "https://zenodo.org/records/1327317/files"
    assert download.MD5["training_set_pixel_size_and_HC.csv"] == "c0761518fece2bd2d2ad4218f2cd9777"
    assert len(download.MD5) == 4
