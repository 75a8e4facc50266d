"""Folders of images of other planes, with and without a CSV, and what is wrong with them."""

import numpy as np
import pytest

from fetal_seg.data.planes import FEWEST, read_planes
from fetal_seg.errors import InputError
from fetal_seg.images.grey import write_image


@pytest.fixture
def folder(tmp_path):
    for number in range(FEWEST + 4):
        path = tmp_path / "images" / f"{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        write_image(path, np.full((8, 8), number, np.uint8))
    return tmp_path


def write_table(folder, rows, header="filename,plane,patient,group"):
    (folder / "planes.csv").write_text("\n".join([header, *rows]) + "\n")


def rows(count, plane="Abdomen"):
    return [
        f"{number:02d}.png,{plane if number < FEWEST else 'Brain'},{number},{number // 2}" for number in range(count)
    ]


def test_without_a_csv_no_image_shows_a_head(folder):
    images = read_planes(folder)
    assert len(images) == len({image.group for image in images}) == FEWEST + 4
    assert not any(image.is_head for image in images)


def test_the_csv_tells_planes_and_groups(folder):
    write_table(folder, rows(FEWEST + 4))
    images = read_planes(folder)
    assert [image.is_head for image in images].count(True) == 4
    assert images[0].plane == "abdomen"
    assert images[0].group == images[1].group != images[2].group


def test_patients_are_groups_where_there_are_none(folder):
    write_table(folder, [",".join(row.split(",")[:3]) for row in rows(FEWEST + 4)], "filename,plane,patient")
    assert [image.group for image in read_planes(folder)][:3] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (rows(FEWEST), "there is no row for 20.png, 21.png, 22.png, 23.png"),
        (["a"], "no row for 00.png"),
        ([], "it must have rows, and the columns 'filename' and 'plane'"),
        (rows(FEWEST + 4, plane="brain"), "holds 0 images without a head; at least 20"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(folder, table, message):
    write_table(folder, table)
    with pytest.raises(InputError, match=message):
        read_planes(folder)


def test_names_that_repeat_cannot_be_told_apart(folder):
    write_table(folder, rows(FEWEST + 4))
    (folder / "more").mkdir()
    write_image(folder / "more" / "00.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(InputError, match=r"00\.png have names of other images"):
        read_planes(folder)


def test_a_csv_that_is_no_text_is_refused(folder):
    (folder / "planes.csv").write_bytes(b"\xff\xfe\x00filename")
    with pytest.raises(InputError, match="must be text in UTF-8"):
        read_planes(folder)


def test_no_folder_and_too_few_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        read_planes(tmp_path / "none")
    with pytest.raises(InputError, match="holds 0 images without a head"):
        read_planes(tmp_path)
