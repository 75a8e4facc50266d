import io
import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, examples
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    MPEG4HP41,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from fetal_seg.errors import InputError
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.images.reader import read_frames
from tests.conftest import frames_before_error
from tests.dicom_files import GREY, RGB, RNG, luma, read, read_one, region, write_dicom

# pydicom's complaints are ignored by the commands; here our own errors and notes are looked at
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_run_length_encoding(path):
    data = dcmread(write_dicom(path, RGB))
    data.compress(RLELossless)
    data.save_as(path)
    assert np.abs(read_one(path).image - luma(RGB)).max() <= 1


def test_several_frames_of_jpeg():
    path = examples.get_path("ybr_color")
    frames = read(path)
    expected = dcmread(path).pixel_array
    assert [frame.number for frame in frames] == list(range(30))
    assert max(np.abs(frame.image - luma(one)).max() for frame, one in zip(frames, expected, strict=True)) <= 1
    spacing = Spacing(pytest.approx(0.5104970559), pytest.approx(0.5104970559), "dicom region", is_doubtful=True)
    assert frames[0].spacing == spacing
    assert [(one.left, one.top) for one in frames[0].regions] == [(84, 31)]


def test_every_nth_frame():
    frames = read(examples.get_path("ybr_color"), every=7)
    assert [frame.number for frame in frames] == [0, 7, 14, 21, 28]
    expected = dcmread(examples.get_path("ybr_color")).pixel_array
    assert np.abs(frames[2].image - luma(expected[14])).max() <= 1


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
