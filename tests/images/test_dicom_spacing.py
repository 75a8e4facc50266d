"""The size of pixels, as DICOM files tell it."""

import re

import pytest
from pydicom import examples

from fetal_seg.geometry.spacing import Region, Spacing
from tests.dicom_files import GREY, MM, read, read_one, region, write_dicom

# pydicom's complaints are ignored by the commands; here our own errors and notes are looked at
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_a_region_made_for_a_larger_image_is_told():
    (note,) = read(examples.get_path("ybr_color"))[0].notes
    assert "reaches beyond the image (595 x 414 of 320 x 240 px)" in note


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
