from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fetal_seg.errors import InputError
from fetal_seg.images.grey import (
    IMAGE_SUFFIXES,
    MOST_PIXELS,
    as_grey,
    grey_of,
    read_first_page,
    read_grey,
    write_image,
    write_mask,
)

SHAPE = (23, 37)
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, SHAPE, dtype=np.uint8)
RGB = RNG.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, SHAPE, dtype=np.uint8)


def _luma(rgb: np.ndarray) -> np.ndarray:
    """ITU-R BT.601."""
    return rgb.astype(np.float64) @ (0.299, 0.587, 0.114)


def _assert_read(path: Path, expected: np.ndarray, tolerance: float = 0.0) -> None:
    found = read_grey(path)
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    assert np.abs(found - expected.astype(np.float64)).max() <= tolerance


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".PNG"])
def test_grey(tmp_path, suffix):
    Image.fromarray(GREY).save(tmp_path / f"a{suffix}")
    _assert_read(tmp_path / f"a{suffix}", GREY)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_colours_become_luma(tmp_path, suffix):
    Image.fromarray(RGB).save(tmp_path / f"a{suffix}")
    _assert_read(tmp_path / f"a{suffix}", _luma(RGB), 1)


def test_jpeg_is_read_as_opencv_reads_it(tmp_path):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 3)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    reference = cv2.cvtColor(cv2.imread(str(tmp_path / "a.jpg")), cv2.COLOR_BGR2GRAY)
    _assert_read(tmp_path / "a.jpg", reference, 3)


def test_grey_in_three_channels_is_exact(tmp_path):
    Image.fromarray(np.stack([GREY] * 3, axis=2)).save(tmp_path / "a.png")
    _assert_read(tmp_path / "a.png", GREY)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled(tmp_path, suffix):
    values = RNG.integers(0, 65536, SHAPE).astype(np.uint16)
    values[0, :4] = 0, 65535, 128, 129
    cv2.imwrite(str(tmp_path / f"a{suffix}"), values)
    _assert_read(tmp_path / f"a{suffix}", np.floor(values / 257 + 0.5))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_in_sixteen_fill_all_greys(tmp_path, bits):
    """As a file and as an array alike."""
    white = 2**bits - 1
    values = RNG.integers(0, white + 1, SHAPE).astype(np.uint16)
    values[0, 0] = white
    cv2.imwrite(str(tmp_path / "a.png"), values)
    _assert_read(tmp_path / "a.png", np.floor(values * (255 / white) + 0.5), 1)
    np.testing.assert_array_equal(as_grey(values), read_grey(tmp_path / "a.png"))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_picture_is_turned_as_its_exif_says(tmp_path, orientation):
    turns = {3: 2, 6: 3, 8: 1}[orientation]  # quarters, counter-clockwise
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(GREY).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png"), np.rot90(GREY, turns))


def test_a_picture_and_an_array_are_what_their_file_is(tmp_path):
    indexed = Image.fromarray(RGB).quantize(64)
    indexed.save(tmp_path / "a.png")
    expected = read_grey(tmp_path / "a.png")
    for image in (indexed, np.array(indexed.convert("RGB"))):
        np.testing.assert_array_equal(grey_of(image), expected)


def test_big_endian_sixteen_bits(tmp_path):
    values = RNG.integers(0, 65536, SHAPE).astype(np.uint16)
    image = Image.frombytes("I;16B", SHAPE[::-1], values.astype(">u2").tobytes())
    image.save(tmp_path / "a.tif")
    _assert_read(tmp_path / "a.tif", np.floor(values / 257 + 0.5))


def test_transparency_is_laid_on_black(tmp_path):
    Image.fromarray(np.dstack([RGB, ALPHA])).save(tmp_path / "rgba.png")
    _assert_read(tmp_path / "rgba.png", _luma(RGB) * ALPHA / 255, 2)
    Image.fromarray(np.dstack([GREY, ALPHA])).save(tmp_path / "la.png")
    _assert_read(tmp_path / "la.png", GREY * (ALPHA / 255), 1)


def test_an_opaque_image_with_alpha_is_the_image(tmp_path):
    Image.fromarray(np.dstack([GREY, GREY, GREY, np.full(SHAPE, 255, np.uint8)])).save(tmp_path / "a.png")
    _assert_read(tmp_path / "a.png", GREY)


def _palette_image(colours: int = 16) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    indices = RNG.integers(0, colours, SHAPE, dtype=np.uint8)
    colour_of = RNG.integers(0, 256, (colours, 3), dtype=np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(colour_of.ravel().tolist())
    return image, indices, colour_of


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_palettes(tmp_path, suffix):
    image, indices, colour_of = _palette_image()
    assert image.mode == "P"
    image.save(tmp_path / f"a{suffix}")
    _assert_read(tmp_path / f"a{suffix}", _luma(colour_of[indices]), 1)


def test_a_palette_with_one_transparent_colour(tmp_path):
    image, indices, colour_of = _palette_image()
    image.save(tmp_path / "a.png", transparency=3)
    _assert_read(tmp_path / "a.png", np.where(indices == 3, 0, _luma(colour_of[indices])), 1)


def test_a_palette_with_an_opacity_for_each_colour(tmp_path):
    image, indices, colour_of = _palette_image()
    opacity = RNG.integers(0, 256, 16, dtype=np.uint8)
    image.save(tmp_path / "a.png", transparency=opacity.tobytes())
    _assert_read(tmp_path / "a.png", _luma(colour_of[indices]) * opacity[indices] / 255, 2)


def test_one_bit(tmp_path):
    bits = RNG.random(SHAPE) < 0.5
    for suffix in (".png", ".bmp", ".tif"):
        Image.fromarray(bits).save(tmp_path / f"a{suffix}")
        _assert_read(tmp_path / f"a{suffix}", bits * 255)


def test_floating_point_up_to_one_and_up_to_255(tmp_path):
    values = RNG.random(SHAPE).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "one.tif")
    _assert_read(tmp_path / "one.tif", np.rint(values * 255.0), 1)
    Image.fromarray(values * 255).save(tmp_path / "full.tif")
    _assert_read(tmp_path / "full.tif", np.rint(values * 255.0), 1)
    Image.fromarray(values - 5).save(tmp_path / "negative.tif")
    _assert_read(tmp_path / "negative.tif", np.zeros(SHAPE))


def test_floating_point_that_is_no_number_is_refused(tmp_path):
    Image.fromarray(np.full(SHAPE, np.nan, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="not finite"):
        read_grey(tmp_path / "a.tif")


def test_what_is_written_is_read(tmp_path):
    write_image(tmp_path / "a.png", GREY)
    _assert_read(tmp_path / "a.png", GREY)
    write_image(tmp_path / "a.png", RGB)
    _assert_read(tmp_path / "a.png", _luma(RGB), 1)


def test_the_content_decides_and_not_the_suffix(tmp_path):
    write_image(tmp_path / "a.png", GREY)
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    _assert_read(tmp_path / "a.jpg", GREY)


@pytest.mark.parametrize("pixels", [GREY, RGB])
def test_a_jpeg_is_smaller_and_nearly_the_same(tmp_path, pixels):
    smooth = cv2.GaussianBlur(np.kron(pixels, np.ones((12, 12) + (1,) * (pixels.ndim - 2), np.uint8)), (0, 0), 8)
    write_image(tmp_path / "a.jpg", smooth)
    write_image(tmp_path / "a.png", smooth)
    assert (tmp_path / "a.jpg").stat().st_size < (tmp_path / "a.png").stat().st_size / 2
    difference = np.abs(np.asarray(Image.open(tmp_path / "a.jpg"), np.float64) - smooth)
    assert difference.mean() < 2
    assert difference.max() < 25


def test_a_mask_is_written_as_zero_and_255(tmp_path):
    mask = (GREY > 120).astype(np.uint8)
    write_mask(tmp_path / "a.png", mask)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), 255 * mask)


def test_another_suffix_is_no_format(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be written as a\.bmp; take \.png or \.jpg"):
        write_image(tmp_path / "a.bmp", GREY)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [suffix for suffix in IMAGE_SUFFIXES if suffix != ".tiff"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off_is_refused(tmp_path, suffix, part):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(RGB).save(path)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(InputError, match=r"cannot be read.*copy or download it again"):
        read_grey(path)


def test_a_damaged_png_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(GREY).save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_grey(path)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png: the image cannot be read"):
        read_grey(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_grey(tmp_path / "a.png")
    with pytest.raises(InputError, match="cannot be read"):
        read_grey(tmp_path)


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"")
    with pytest.raises(InputError, match="it is empty"):
        read_grey(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".jpg"])
@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (40, 50)])
def test_single_pixels_rows_columns_and_blank_images(tmp_path, suffix, value, shape):
    values = np.full(shape, value, np.uint8)
    Image.fromarray(values).save(tmp_path / f"a{suffix}")
    _assert_read(tmp_path / f"a{suffix}", values)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # reason: pytest resets our own filter
@pytest.mark.parametrize("size", [(20000, 20000), (10000, 10000), (MOST_PIXELS // 1000 + 1, 1000)])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_an_enormous_image_is_refused(tmp_path, size, suffix):
    """Of one bit a pixel, written in strips or packed, so that the test itself stays small."""
    path = tmp_path / f"a{suffix}"
    Image.new("1", size).save(path)
    with pytest.raises(InputError, match="pixels.*crop or scale"):
        read_grey(path)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_sixteen_bits(tmp_path, suffix, channels):
    values = RNG.integers(0, 65536, (*SHAPE, channels)).astype(np.uint16)
    values[..., 3:] = 65535
    cv2.imwrite(str(tmp_path / f"a{suffix}"), values)
    _assert_read(tmp_path / f"a{suffix}", _luma(values[..., 2::-1] / 257), 1.5)


@pytest.mark.parametrize(("mode", "suffix"), [("CMYK", ".jpg"), ("CMYK", ".tif"), ("YCbCr", ".tif")])
def test_other_colour_spaces(tmp_path, mode, suffix):
    smooth = cv2.GaussianBlur(RGB, (0, 0), 3)
    Image.fromarray(smooth).convert(mode).save(tmp_path / f"a{suffix}")
    _assert_read(tmp_path / f"a{suffix}", _luma(smooth), 4)


def test_a_colour_space_that_cannot_be_read_is_refused(tmp_path):
    Image.fromarray(RGB).convert("LAB").save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="cannot be read"):
        read_grey(tmp_path / "a.tif")


def test_one_value_that_is_no_number_among_many_is_refused(tmp_path):
    for value in (np.nan, np.inf):
        values = RNG.random(SHAPE).astype(np.float32)
        values[3, 4] = value
        Image.fromarray(values).save(tmp_path / "a.tif")
        with pytest.raises(InputError, match=r"a\.tif: .*not finite"):
            read_grey(tmp_path / "a.tif")


def test_the_first_page_of_several(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    for name in ("a.tif", "b.png"):  # a TIFF of two pages, an animated PNG
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        image, is_alone = read_first_page(tmp_path / name)
        np.testing.assert_array_equal(image, GREY)
        assert not is_alone
    pages[0].save(tmp_path / "c.tif")
    assert read_first_page(tmp_path / "c.tif")[1]


@pytest.mark.parametrize("pixels", [GREY, RGB])
def test_arrays_as_grey(pixels):
    expected = pixels if pixels.ndim == 2 else _luma(pixels)
    for array in (pixels, pixels.astype(np.uint16) * 257, pixels / 255, (pixels / 255).astype(np.float32)):
        found = as_grey(array)
        assert found.dtype == np.uint8
        assert np.abs(found - expected.astype(np.float64)).max() <= (pixels.ndim == 3)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(5),
        np.zeros((5, 6, 5)),
        np.zeros((2, 5, 6, 3)),
        np.zeros((0, 6)),
        np.zeros((5, 6), np.int64),
        np.zeros((5, 6), bool),
        np.full((5, 6), np.nan),
        np.full((5, 6), 1.5),
        np.full((5, 6), -0.1),
    ],
)
def test_arrays_that_are_no_image_are_refused(array):
    with pytest.raises(InputError, match=r"must be"):
        as_grey(array)
