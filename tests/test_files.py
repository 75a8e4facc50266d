import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fetal_seg.errors import InputError
from fetal_seg.files import check_writable, printable, read_own_csv, whole_file, whole_folder, write_csv, write_text


def test_a_file_appears_whole_at_the_end_and_not_before(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with whole_file(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename across file systems would not be atomic
        assert temporary.suffix == ".csv"
    assert path.read_text(encoding="utf-8") == "half"
    assert list(path.parent.iterdir()) == [path]


def _write_half_a_file(path: Path, error: type[BaseException]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise error


def _fill_half_a_folder(path: Path, error: type[BaseException]) -> None:
    with whole_folder(path) as temporary:
        (temporary / "a.txt").write_text("a", encoding="utf-8")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_after_an_exception_the_old_file_is_there_and_nothing_else(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(error):
        _write_half_a_file(path, error)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_not_written_after_all_is_told(tmp_path):
    with pytest.raises(OSError, match="No such file"), whole_file(tmp_path / "a.txt") as temporary:
        temporary.unlink()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "")
        with whole_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~umask


def test_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / "a.txt", "ä\r\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == "ä\r\nb\n".encode()


def test_readers_see_one_of_the_writers_files_and_never_a_mixture(tmp_path):
    path, stop, seen = tmp_path / "a.txt", threading.Event(), set()
    texts = [letter * 200_000 for letter in "abcd"]
    write_text(path, texts[0])

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_text(encoding="utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda text: [write_text(path, text) for _ in range(20)], texts))
    finally:
        stop.set()
        reader.join()
    assert seen <= set(texts)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole_at_the_end_and_not_before(tmp_path):
    path = tmp_path / "new" / "cache"
    with whole_folder(path) as temporary:
        (temporary / "a.txt").write_text("a", encoding="utf-8")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert [file.name for file in path.iterdir()] == ["a.txt"]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_exception_there_is_no_folder(tmp_path, error):
    with pytest.raises(error):
        _fill_half_a_folder(tmp_path / "cache", error)
    assert not list(tmp_path.iterdir())


def test_the_folder_of_the_process_that_was_first_stays(tmp_path):
    path = tmp_path / "cache"
    with whole_folder(path) as ours:
        (ours / "a.txt").write_text("second", encoding="utf-8")
        with whole_folder(path) as theirs:
            (theirs / "a.txt").write_text("first", encoding="utf-8")
    assert (path / "a.txt").read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_of_a_folder_leave_one_whole_one(tmp_path):
    path = tmp_path / "cache"
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        with whole_folder(path) as temporary:
            for name in "abc":
                (temporary / name).write_text(str(number), encoding="utf-8")
            barrier.wait()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert list(tmp_path.iterdir()) == [path]
    assert len({(path / name).read_text(encoding="utf-8") for name in "abc"}) == 1


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    path = tmp_path / "cache"
    path.write_text("a file", encoding="utf-8")
    with pytest.raises(OSError, match="could not be created"), whole_folder(path):
        pass
    assert path.read_text(encoding="utf-8") == "a file"
    assert [entry.name for entry in Path(tmp_path).iterdir()] == ["cache"]


def test_a_folder_that_can_be_written_is_probed_without_a_trace(tmp_path):
    check_writable(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []


def test_what_is_a_file_or_below_one_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="ot a directory"):
            check_writable(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n3,", "is cut off"),
        (b"a,b\n1,2\n3", "fewer cells"),
        (b"a,b\n1,2,3\n", "more cells"),
        (b"c,d\n1,2\n", "another table"),
        (b"\xff\xfe\n", "no table"),
    ],
)
def test_a_table_of_ours_that_is_damaged_is_told(content, told, tmp_path):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_own_csv(tmp_path / "x.csv", ("a",))


def test_a_whole_table_is_read(tmp_path):
    write_csv(tmp_path / "x.csv", ("a", "b"), [{"a": 1, "b": "x, y"}, {"a": 2}])
    assert read_own_csv(tmp_path / "x.csv", ("a", "b")) == [{"a": "1", "b": "x, y"}, {"a": "2", "b": ""}]


def test_names_are_printed_in_one_line_without_steering_anything():
    assert printable("a\x1b[31mb\nc\x7f\udce9") == "a\\x1b[31mb\\x0ac\\x7f\\xe9"
    assert printable("Kopf ä 头.png") == "Kopf ä 头.png"
