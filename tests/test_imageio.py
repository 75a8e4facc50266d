from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fetal_seg.errors import InputError
from fetal_seg.imageio import IMAGE_SUFFIXES, read_grey, write_png

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
    write_png(tmp_path / "a.png", GREY)
    _assert_read(tmp_path / "a.png", GREY)
    write_png(tmp_path / "a.png", RGB)
    _assert_read(tmp_path / "a.png", _luma(RGB), 1)


def test_the_content_decides_and_not_the_suffix(tmp_path):
    write_png(tmp_path / "a.jpg", GREY)
    _assert_read(tmp_path / "a.jpg", GREY)


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
