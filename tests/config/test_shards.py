from pathlib import Path, PurePath

import pytest

from fetal_seg.config.shards import Shard, folder_of_all
from fetal_seg.errors import InputError


@pytest.mark.parametrize(
    "text", ["0/64", "65/64", "a/b", "/64", "3", "3/", "3/0", "-1/4", "1/1000000", "1/2/3", "٣/64"]
)
def test_what_is_no_shard(text):
    with pytest.raises(InputError, match=r"^predict\.shard=.*NUMBER/COUNT.*3/64 is the third of 64 parts$"):
        Shard.from_text(text)


def test_each_file_is_in_one_part_whatever_others_there_are():
    names = [f"a/{number}.png" for number in range(6400)]
    shards = [Shard(number, 64) for number in range(1, 65)]
    sizes = [sum(name in shard for name in names) for shard in shards]
    assert sum(sizes) == 6400
    assert 50 < min(sizes) <= max(sizes) < 160
    assert all(name in Shard(1, 1) for name in names)


def test_parts_are_the_same_on_every_machine():
    assert [next(n for n in range(1, 65) if name in Shard(n, 64)) for name in ("000_HC.png", "a/c.dcm")] == [5, 11]
    assert all(("\u00e9.png" in shard) == ("e\u0301.png" in shard) for shard in (Shard(1, 2), Shard(2, 2)))


def test_folders():
    assert Shard.from_text(" 3/64").folder == PurePath("shards", "03-of-64")
    assert str(Shard(3, 64)) == "3/64"
    assert folder_of_all(Path("o/shards/03-of-64")) == Path("o")
    assert folder_of_all(Path("o/shards")) == Path("o/shards")
