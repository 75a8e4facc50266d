import io
import itertools
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, examples
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from fetal_seg.errors import InputError
from fetal_seg.geometry.spacing import Region, Spacing
from fetal_seg.images.reader import read_frames
from tests.conftest import frames_before_error

# pydicom's complaints are ignored by the commands; here our own errors and notes are looked at
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (24, 36), dtype=np.uint8)
RGB = RNG.integers(0, 256, (24, 36, 3), dtype=np.uint8)
MM = 0.25


def luma(colours: np.ndarray) -> np.ndarray:
    """ITU-R BT.601."""
    return colours.astype(np.float64) @ (0.299, 0.587, 0.114)


def region(left=0, top=0, right=35, bottom=23, delta_cm=MM / 10, **elements) -> Dataset:
    """A region of 2D tissue in cm, unless `elements` say otherwise."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = delta_cm
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def write_dicom(path, pixels, syntax=ExplicitVRLittleEndian, *, frames=None, **elements):
    """A DICOM file of these stored values; `elements` go into its data set, None takes one out."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(
        path,
        {},
        file_meta=meta,
        preamble=bytes(128),
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality = "US"
    height, width = pixels.shape[1:3] if frames else pixels.shape[:2]
    data.Rows, data.Columns = height, width
    data.SamplesPerPixel = pixels.shape[-1] if pixels.ndim == (4 if frames else 3) else 1
    data.PhotometricInterpretation = "RGB" if data.SamplesPerPixel == 3 else "MONOCHROME2"
    if data.SamplesPerPixel == 3:
        data.PlanarConfiguration = 0
    if frames:
        data.NumberOfFrames = frames
    data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    for keyword, value in elements.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    if syntax == ExplicitVRBigEndian and pixels.itemsize == 2:
        data.PixelData = pixels.astype(">u2").tobytes()
    if data.get("PixelData") is not None and data.file_meta.TransferSyntaxUID.is_encapsulated:
        data["PixelData"].is_undefined_length = True
    data.save_as(path, enforce_file_format=True)
    return path


def read(path, every=1):
    return list(read_frames(path, path.name, every))


def read_one(path):
    (frame,) = read(path)
    return frame


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.dcm"


# What is stored, as grey


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


def test_run_length_encoding(path):
    data = dcmread(write_dicom(path, RGB))
    data.compress(RLELossless)
    data.save_as(path)
    assert np.abs(read_one(path).image - luma(RGB)).max() <= 1


# pydicom's own files


def test_several_frames_of_jpeg():
    path = examples.get_path("ybr_color")
    frames = read(path)
    expected = dcmread(path).pixel_array
    assert [frame.number for frame in frames] == list(range(30))
    assert max(np.abs(frame.image - luma(one)).max() for frame, one in zip(frames, expected, strict=True)) <= 1
    spacing = Spacing(pytest.approx(0.5104970559), pytest.approx(0.5104970559), "dicom region", is_doubtful=True)
    assert frames[0].spacing == spacing
    assert [(one.left, one.top) for one in frames[0].regions] == [(84, 31)]


def test_a_region_made_for_a_larger_image_is_told():
    (note,) = read(examples.get_path("ybr_color"))[0].notes
    assert "reaches beyond the image (595 x 414 of 320 x 240 px)" in note


def test_every_nth_frame():
    frames = read(examples.get_path("ybr_color"), every=7)
    assert [frame.number for frame in frames] == [0, 7, 14, 21, 28]
    expected = dcmread(examples.get_path("ybr_color")).pixel_array
    assert np.abs(frames[2].image - luma(expected[14])).max() <= 1


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


@pytest.mark.parametrize("name", ["rgb_color", "jpeg2k"])
def test_ultrasound_without_regions(name):
    frame = read_one(examples.get_path(name))
    assert np.abs(frame.image - luma(dcmread(examples.get_path(name)).pixel_array)).max() <= 1
    assert (frame.spacing, frame.regions, frame.notes) == (None, (), ())


@pytest.mark.parametrize(
    "name",
    [
        "GDCMJ2K_TextGBR.dcm",
        "JPEGLSNearLossless_16.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
        "SC_rgb_dcmtk_+eb+cy+np.dcm",
        "SC_rgb_small_odd_big_endian.dcm",
    ],
)
def test_other_encodings_are_read_as_pydicom_reads_them(name):
    path = get_testdata_file(name, download=False)
    data = dcmread(path)
    stored = data.pixel_array.reshape(-1, data.Rows, data.Columns, data.SamplesPerPixel) / (2**data.BitsStored - 1)
    frames = list(read_frames(Path(path), "a"))
    for frame, one in zip(frames, stored, strict=True):
        expected = one[..., 0] if data.SamplesPerPixel == 1 else luma(one)
        assert np.abs(frame.image - 255 * expected).max() <= 1.5
        assert "not US" in frame.notes[0]


# The size of pixels


def test_a_region_in_its_own_units(path):
    frame = read_one(
        write_dicom(
            path,
            GREY,
            SequenceOfUltrasoundRegions=[region(2, 3, 30, 20, PhysicalDeltaX=0.03, PhysicalDeltaY=-0.02)],
            PixelSpacing=[1, 1],
        )
    )
    assert frame.spacing == Spacing(pytest.approx(0.3), pytest.approx(0.2), "dicom region")
    assert frame.regions == (Region(2, 3, 30, 20, frame.spacing),)
    assert frame.notes == ()


def test_the_region_that_holds_the_point_counts(path):
    regions = [region(0, 0, 17, 23, 0.02), region(18, 0, 35, 23, 0.03), region(20, 2, 30, 10, 0.04)]
    frame = read_one(write_dicom(path, GREY, SequenceOfUltrasoundRegions=regions, PixelSpacing=[1, 1]))
    at = {(5, 5): 0.2, (17, 20): 0.2, (18, 20): 0.3, (25, 5): 0.4, (34.9, 5): 0.3}
    for point, size in at.items():
        assert frame.spacing_at(*point).x_mm == pytest.approx(size)
    assert frame.spacing is None
    assert frame.spacing_at(100, 5) is None


def test_outside_of_regions_that_agree_their_size_counts(path):
    regions = [region(0, 0, 10, 23), region(20, 0, 35, 23)]
    frame = read_one(write_dicom(path, GREY, SequenceOfUltrasoundRegions=regions))
    assert frame.spacing_at(15, 5) == frame.spacing == Spacing(pytest.approx(MM), pytest.approx(MM), "dicom region")


def test_pixel_spacing_is_that_of_rows_first(path):
    frame = read_one(write_dicom(path, GREY, PixelSpacing=[0.2, 0.3]))
    assert frame.spacing == Spacing(0.3, 0.2, "dicom spacing")
    assert frame.spacing_at(3, 4) == frame.spacing


@pytest.mark.parametrize(
    ("keyword", "source"),
    [("NominalScannedPixelSpacing", "dicom nominal spacing"), ("ImagerPixelSpacing", "dicom imager spacing")],
)
def test_other_spacings_are_named(path, keyword, source):
    assert read_one(write_dicom(path, GREY, **{keyword: [0.2, 0.3]})).spacing == Spacing(0.3, 0.2, source)


UNUSABLE = {
    "spectral Doppler": (
        {"RegionSpatialFormat": 3, "RegionDataType": 3, "PhysicalUnitsXDirection": 4, "PhysicalUnitsYDirection": 7},
        r"region 1 of the file is calibrated in other units \(s, cm/s\), not used",
    ),
    "M-mode": (
        {"RegionSpatialFormat": 2, "PhysicalUnitsXDirection": 4},
        r"region 1 of the file is calibrated in other units \(s, cm\), not used",
    ),
    "colour flow": ({"RegionDataType": 2}, "region 1 of the file shows colour flow, not 2D tissue, not used"),
    "zero": ({"PhysicalDeltaX": 0.0}, r"region 1 of the file has an impossible pixel size \(0 x 0.25 mm\), not used"),
    "NaN": ({"PhysicalDeltaY": float("nan")}, r"impossible pixel size \(0.25 x nan mm\)"),
    "infinite": ({"PhysicalDeltaY": float("inf")}, r"impossible pixel size \(0.25 x inf mm\)"),
    "metres": ({"PhysicalDeltaX": 5.0}, r"impossible pixel size \(50 x 0.25 mm\)"),
    "elsewhere": ({"RegionLocationMinX0": 500, "RegionLocationMaxX1": 600}, "lies outside the image"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_regions_that_cannot_be_measured_in(path, name):
    elements, note = UNUSABLE[name]
    regions = [region(**elements)]
    frame = read_one(write_dicom(path, GREY, SequenceOfUltrasoundRegions=regions))
    assert (frame.spacing, frame.regions) == (None, ())
    assert frame.notes[-1] == "no region of the file tells the size of its pixels"
    assert re.search(note, frame.notes[0])
    frame = read_one(write_dicom(path, GREY, SequenceOfUltrasoundRegions=regions, PixelSpacing=[0.2, 0.3]))
    assert frame.spacing == Spacing(0.3, 0.2, "dicom spacing")
    assert len(frame.notes) == 1
    frame = read_one(write_dicom(path, GREY, SequenceOfUltrasoundRegions=[*regions, region()]))
    assert frame.spacing == Spacing(pytest.approx(MM), pytest.approx(MM), "dicom region")


@pytest.mark.parametrize("spacing", [[0, 0], [0.2, -0.2], [33, 33], [0.2]])
def test_an_impossible_pixel_spacing_is_not_used(path, spacing):
    frame = read_one(write_dicom(path, GREY, PixelSpacing=spacing))
    assert frame.spacing is None
    assert "PixelSpacing is impossible" in frame.notes[0]


# Files that do not suit


def test_secondary_captures_are_read_and_told(path):
    for modality in ("OT", "SC", ""):
        frame = read_one(write_dicom(path, GREY, Modality=modality, SOPClassUID=SecondaryCaptureImageStorage))
        assert frame.notes == (f"its modality is {modality or 'unknown'}, not US",)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_other_modalities_are_refused(name):
    with pytest.raises(InputError, match=rf"modality {name[:2]} is not ultrasound; it must be US; take another"):
        read(Path(get_testdata_file(name, download=False)))


@pytest.mark.parametrize("modality", ["IVUS", "XA"])
def test_modalities_near_ultrasound_are_refused_too(path, modality):
    with pytest.raises(InputError, match=f"modality {modality} is not ultrasound"):
        read(write_dicom(path, GREY, Modality=modality))


@pytest.mark.parametrize("name", ["reportsi.dcm", "test-SR.dcm", "DICOMDIR", "rtplan.dcm"])
def test_files_without_pixels_are_refused(name):
    with pytest.raises(InputError, match="the DICOM file holds no image"):
        read(Path(get_testdata_file(name, download=False)))


def test_a_header_alone_is_refused(path):
    write_dicom(path, GREY, PixelData=None)
    with pytest.raises(InputError, match="the DICOM file holds no image"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"no DICOM", bytes(1000), b"\x08\x00" * 300, bytes(128) + b"DICM"])
def test_what_is_no_dicom_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="a.dcm: "):
        read(path)


def test_a_missing_file_and_a_folder_are_refused(path):
    with pytest.raises(InputError, match="no such file"):
        read(path)
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read(path)


@pytest.mark.parametrize("cut", [2, 400])
def test_too_few_bytes_of_pixels_are_refused(path, cut):
    write_dicom(path, GREY, PixelData=GREY.tobytes()[:-cut])
    with pytest.raises(InputError, match="its pixels cannot be decoded.*too short"):
        read(path)


def test_the_elements_behind_the_pixels_are_not_taken_for_pixels(path):
    padding = bytes(GREY.size)
    write_dicom(path, GREY, PixelData=GREY.tobytes()[:100], DataSetTrailingPadding=padding)
    with pytest.raises(InputError, match="too short"):
        read(path)


def test_excess_bytes_are_dropped(path):
    write_dicom(path, GREY, PixelData=GREY.tobytes() + bytes(50))
    np.testing.assert_array_equal(read_one(path).image, GREY)


@pytest.mark.parametrize("every", [1, 2])
def test_uncompressed_frames_that_break_off(path, every):
    stack = RNG.integers(0, 256, (6, 24, 36), dtype=np.uint8)
    write_dicom(path, stack, frames=6)
    path.write_bytes(path.read_bytes()[: -int(2.5 * GREY.size)])
    frames, error = frames_before_error(path, every)
    assert [frame.number for frame in frames] == list(range(0, 3, every))
    np.testing.assert_array_equal([frame.image for frame in frames], stack[:3:every])
    assert f"frame {3 if every == 1 else 4} of 6 (the first is 0) cannot be decoded" in error


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("way", ["file cut off", "fewer than the header says"])
def test_compressed_frames_that_break_off(path, has_table, way):
    data = dcmread(examples.get_path("ybr_color"))
    encoded = list(generate_frames(data.PixelData, number_of_frames=30))
    data.PixelData = encapsulate(encoded[:4] if way != "file cut off" else encoded, has_bot=has_table)
    data.save_as(path)
    if way == "file cut off":
        content = path.read_bytes()
        path.write_bytes(content[: content.index(encoded[4]) + len(encoded[4]) // 2])
    frames, error = frames_before_error(path)
    assert [frame.number for frame in frames] == [0, 1, 2, 3]
    assert "frame 4 of 30 (the first is 0) cannot be decoded; those before it were read" in error


def test_a_damaged_stream_is_refused(path):
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "JPEG")
    pixels = encapsulate([stream.getvalue()[:30] + bytes(300)])
    write_dicom(path, GREY, JPEGBaseline8Bit, PixelData=pixels)
    with pytest.raises(InputError, match="its pixels cannot be decoded"):
        read(path)


@pytest.mark.parametrize("syntax", [MPEG4HP41, "1.2.3.4.5"])
def test_a_transfer_syntax_without_a_decoder_is_refused(path, syntax):
    write_dicom(path, GREY)
    data = dcmread(path)
    data.PixelData = encapsulate([b"\x00\x00\x00\x01"])
    data["PixelData"].is_undefined_length = True
    data.file_meta.TransferSyntaxUID = MPEG4HP41
    data.save_as(path)
    if syntax != MPEG4HP41:
        content = path.read_bytes()
        path.write_bytes(content.replace(MPEG4HP41.encode(), f"{syntax:\0<{len(MPEG4HP41)}}".encode(), 1))
    with pytest.raises(InputError, match="nothing here decodes its transfer syntax"):
        read(path)


def test_an_unknown_photometric_interpretation_is_refused(path):
    with pytest.raises(InputError, match="photometric interpretation HSV is not known"):
        read(write_dicom(path, RGB, PhotometricInterpretation="HSV"))


def test_an_enormous_image_is_refused_before_it_is_decoded(path):
    with pytest.raises(InputError, match="20000 x 20000 pixels"):
        read(write_dicom(path, GREY, Rows=20000, Columns=20000))


def test_a_file_cut_off_in_its_header_is_refused(path):
    content = write_dicom(path, GREY, SequenceOfUltrasoundRegions=[region()]).read_bytes()
    for length in range(132, len(content) - GREY.size, 37):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="a.dcm: "):
            read(path)


def test_damaged_bytes_never_make_another_error(path):
    content = bytearray(
        write_dicom(path, GREY, SequenceOfUltrasoundRegions=[region()], PixelSpacing=[1, 1]).read_bytes()
    )
    random = np.random.default_rng(1)
    for _ in range(150):
        damaged = bytearray(content)
        for position in random.integers(132, len(content) - GREY.size, 3):
            damaged[position] = random.integers(256)
        path.write_bytes(damaged)
        frames_before_error(path)  # must end, with frames or an InputError


def test_no_preamble_is_needed(path):
    content = write_dicom(path, GREY).read_bytes()
    path.write_bytes(content[132:])
    np.testing.assert_array_equal(read_one(path).image, GREY)
    data = dcmread(write_dicom(path, GREY, ImplicitVRLittleEndian))
    data.file_meta = FileMetaDataset()
    data.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
    np.testing.assert_array_equal(read_one(path).image, GREY)


def test_the_mark_decides_and_not_the_suffix(tmp_path):
    for name in ("a.png", "a", "1.2.840.5", "a.avi"):
        np.testing.assert_array_equal(read_one(write_dicom(tmp_path / name, GREY)).image, GREY)


def test_frames_are_decoded_one_at_a_time(path):
    """A file whose frames would not fit into memory, all but the first of them a hole in the file."""
    height, width, frames = 8000, 8000, 30_000
    write_dicom(path, GREY, Rows=height, Columns=width, NumberOfFrames=frames, PixelData=b"")
    content = path.read_bytes()
    with path.open("wb") as file:
        file.write(content[:-4] + struct.pack("<L", 2**32 - 2))
        file.truncate(len(content) + 2**32)
    taken = list(itertools.islice(read_frames(path, "a", every=30), 2))
    assert [frame.number for frame in taken] == [0, 30]
    assert all(frame.image.shape == (height, width) for frame in taken)


def test_the_terminal_stays_clean(path):
    """pydicom warns of much, through `warnings` and through its log."""
    data = dcmread(examples.get_path("ybr_color"))
    data.PixelData = encapsulate(list(generate_frames(data.PixelData, number_of_frames=30))[:2])
    data.save_as(path)
    excess = write_dicom(path.with_name("b.dcm"), GREY, PixelData=GREY.tobytes() + bytes(50))
    code = (
        "import logging, sys; from pathlib import Path; from fetal_seg.errors import InputError\n"
        "from fetal_seg.cli.quiet import quiet_image_libraries; from fetal_seg.images.reader import read_frames\n"
        "logging.basicConfig(); quiet_image_libraries()\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(sum(1 for _ in read_frames(Path(path), 'a')))\n"
        "    except InputError: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, path, excess], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("refused\n1\n", "")
