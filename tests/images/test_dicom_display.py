"""Stored values of DICOM files as grey."""

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, examples
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from fetal_seg.errors import InputError
from fetal_seg.geometry.spacing import Spacing
from tests.dicom_files import GREY, RGB, RNG, luma, read, read_one, write_dicom

# pydicom's complaints are ignored by the commands; here our own errors and notes are looked at
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_uncompressed_grey(path, syntax, dtype):
    values = GREY.astype(dtype) * (257 if dtype == np.uint16 else 1)
    frame = read_one(write_dicom(path, values, syntax))
    assert (frame.file, frame.number, frame.spacing, frame.notes, frame.regions) == ("a.dcm", None, None, (), ())
    assert frame.image.dtype == np.uint8
    np.testing.assert_array_equal(frame.image, GREY)


def test_colours_become_luma(path):
    assert np.abs(read_one(write_dicom(path, RGB)).image - luma(RGB)).max() <= 1


def test_colours_of_sixteen_bits(path):
    assert np.abs(read_one(write_dicom(path, RGB.astype(np.uint16) * 257)).image - luma(RGB)).max() <= 1


@pytest.mark.parametrize("kind", ["YBR_FULL", "YBR_FULL_422"])
def test_luma_and_chroma(path, kind):
    ybr = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    if kind == "YBR_FULL_422":  # Y Y Cb Cr for each two pixels
        pairs = ybr.reshape(24, 18, 2, 3)
        ybr_stored = np.concatenate([pairs[..., 0], pairs[:, :, 0, 1:]], axis=2)
        smooth = np.repeat(pairs[:, :, :1, 1:], 2, axis=2)
        expected = np.dstack([ybr[..., 0], smooth.reshape(24, 36, 2)])
    else:
        ybr_stored = expected = ybr
    write_dicom(path, RGB, PhotometricInterpretation=kind, PixelData=ybr_stored.tobytes())
    in_range = np.asarray(Image.fromarray(expected, "YCbCr").convert("RGB").convert("L"))
    assert np.abs(read_one(path).image.astype(int) - in_range).max() <= 2


def test_monochrome1_is_inverted(path):
    np.testing.assert_array_equal(
        read_one(write_dicom(path, GREY, PhotometricInterpretation="MONOCHROME1")).image, 255 - GREY
    )


def test_twelve_bits_stored_in_sixteen(path):
    values = RNG.integers(0, 4096, GREY.shape).astype(np.uint16)
    frame = read_one(write_dicom(path, values, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(frame.image, np.rint(values * (255 / 4095)))


def test_signed_values(path):
    values = RNG.integers(-32768, 32768, GREY.shape).astype(np.int16)
    np.testing.assert_array_equal(read_one(write_dicom(path, values)).image, np.rint((values + 32768.0) / 257))


def test_a_window_is_applied(path):
    values = np.arange(0, 4096, 4, dtype=np.uint16).reshape(16, 64)
    frame = read_one(write_dicom(path, values, BitsStored=12, HighBit=11, WindowCenter=1000, WindowWidth=401))
    expected = np.clip((values - 999.5) / 400 + 0.5, 0, 1) * 255  # PS3.3, C.11.2.1.2
    assert np.abs(frame.image - expected).max() <= 0.5 + 1e-9


def test_a_window_after_a_rescale(path):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frame = read_one(
        write_dicom(path, values, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=155.5, WindowWidth=512)
    )
    np.testing.assert_array_equal(frame.image, values)


@pytest.mark.parametrize("width", [0, -3])
def test_a_window_that_is_none_is_as_if_it_were_not_there(path, width):
    frame = read_one(write_dicom(path, GREY, WindowCenter=128, WindowWidth=width))
    np.testing.assert_array_equal(frame.image, GREY)


def _table(keyword, values, bits):
    item = Dataset()
    item.LUTDescriptor = [len(values), 0, bits]
    item.LUTData = values
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    return {keyword: [item]}


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
def test_tables_are_applied(path, keyword):
    table = [65535 - 257 * value for value in range(256)]
    np.testing.assert_array_equal(read_one(write_dicom(path, GREY, **_table(keyword, table, 16))).image, 255 - GREY)


def test_a_palette(path):
    palette = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    elements = {}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        elements[f"{name}PaletteColorLookupTableData"] = palette[:, channel].tobytes()
    frame = read_one(write_dicom(path, GREY, PhotometricInterpretation="PALETTE COLOR", **elements))
    assert np.abs(frame.image - luma(palette[GREY])).max() <= 1


def test_a_palette_of_sixteen_bits_and_an_ecg():
    frame = read_one(examples.get_path("palette_color"))
    data = dcmread(examples.get_path("palette_color"))
    tables = [
        np.frombuffer(data[f"{name}PaletteColorLookupTableData"].value, "<u2") >> 8 for name in ("Red", "Green", "Blue")
    ]
    colours = np.stack(tables, axis=1)[data.pixel_array]
    assert np.abs(frame.image - luma(colours)).max() <= 1
    assert frame.spacing == Spacing(
        pytest.approx(0.26228788), pytest.approx(0.26228788), "dicom region", is_doubtful=True
    )
    assert len(frame.regions) == 1
    assert "region 2 of the file is calibrated in other units (s, none), not used" in frame.notes


def test_an_unknown_photometric_interpretation_is_refused(path):
    with pytest.raises(InputError, match="photometric interpretation HSV is not known"):
        read(write_dicom(path, RGB, PhotometricInterpretation="HSV"))
