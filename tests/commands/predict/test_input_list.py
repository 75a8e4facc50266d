from pathlib import Path

from fetal_seg.commands.predict.input_list import InputFile, InputList
from fetal_seg.config.shards import Shard


def listed(*names, folder="in"):
    return [InputFile(Path(folder, name), name, Path(folder)) for name in names]


def test_files_come_by_name_within_what_gave_them_and_are_found_by_it():
    files = InputList()
    assert files.add(listed("b.png", "a.png")) == 2
    assert files.add(listed("A.png", "a.png")) == 2
    files.tell_apart()
    assert list(files) == [*listed("a.png", "b.png"), *listed("A.png")]
    assert len(files) == 3
    assert files.get("b.png") in files
    assert files.get("c.png") is None
    assert listed("c.png")[0] not in files
    assert [files.position(name) for name in ("a.png", "b.png", "A.png", "c.png")] == [1, 2, 3, -1]


def test_names_that_are_no_text_are_kept_as_paths():
    files = InputList()
    files.add(listed("\udcff.png"))
    files.tell_apart()
    (file,) = files
    assert (file.path, file.name) == (Path("in/\udcff.png"), "\\xff.png")


def test_sizes_of_a_source_are_added_to_those_of_others():
    files = InputList()
    files.add(listed("a.png", folder="x"))
    files.add(listed("b.png", folder="y"))
    files.tell_apart()
    files.set_sizes(lambda name, path: 0.1 if path == Path("x/a.png") else None)
    files.set_sizes(lambda name, path: 0.2, source=Path("y"))
    assert [file.pixel_size_mm for file in files] == [0.1, 0.2]
    assert sorted(files.sources()) == [Path("x"), Path("y")]


def test_the_part_of_a_file_follows_from_what_its_folder_calls_it():
    names = [f"{number}.png" for number in range(40)]
    kept = []
    for number in (1, 2, 3):
        files = InputList()
        files.add(listed(*names, folder="x"))
        files.add(listed("7.png", "other.png", folder="y"))  # the name of x/7.png has its folder now
        files.tell_apart()
        files.keep(Shard(number, 3))
        kept.append({file.path for file in files})
        assert all(file.path.name in Shard(number, 3) for file in files)
    assert len(set.union(*kept)) == sum(map(len, kept)) == 42
