import numpy as np
from PIL import Image

from fetal_seg.images.reader import read_frames


def test_an_image_file_is_one_frame(tmp_path):
    picture = np.arange(48, dtype=np.uint8).reshape(6, 8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    (frame,) = read_frames(tmp_path / "a.png", "sub/a.png", every=5)
    assert (frame.file, frame.number, frame.spacing, frame.notes) == ("sub/a.png", None, None, ())
    np.testing.assert_array_equal(frame.image, picture)


def test_of_several_pages_the_first_is_read_and_that_is_told(tmp_path):
    pages = [Image.fromarray(np.full((6, 8), value, np.uint8)) for value in (10, 20, 30)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    (frame,) = read_frames(tmp_path / "a.tif", "a.tif")
    assert frame.image.tolist() == [[10] * 8] * 6
    assert frame.notes == ("only the first of several pages was read",)
