import numpy as np
import pydicom
import pytest

from fetal_seg import __version__
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.report.prediction.dicom_objects import write_report, write_segmentation
from tests.report.prediction.dicom_sources import HEAD, MULTI, PALETTE, SINGLE, grey_source, row_of

highdicom = pytest.importorskip("highdicom", reason="the extra `dicom` is not installed")


def items(dataset, value_type):
    return [part for part in walk(dataset) if part.get("ValueType") == value_type]


def walk(dataset):
    for part in dataset.get("ContentSequence", []):
        yield part
        yield from walk(part)


def numbers(report):
    """By the code of the measurement: value, unit and coding scheme."""
    told = {}
    for part in items(report, "NUM"):
        name, value = part.ConceptNameCodeSequence[0], part.MeasuredValueSequence[0]
        unit = value.MeasurementUnitsCodeSequence[0]
        assert unit.CodingSchemeDesignator == "UCUM"
        told[name.CodeValue] = (float(value.NumericValue), unit.CodeValue, name.CodingSchemeDesignator)
    return told


def comments(report):
    return [
        part.TextValue for part in items(report, "TEXT") if part.ConceptNameCodeSequence[0].CodeMeaning == "Comment"
    ]


# Segmentations


@pytest.mark.parametrize("source", [SINGLE, PALETTE], ids=["rgb", "palette"])
def test_the_mask_of_an_image_reads_back_bit_for_bit(tmp_path, source):
    header = pydicom.dcmread(source)
    mask = HEAD.rasterise(header.Rows, header.Columns)
    write_segmentation(tmp_path / "new" / "seg.dcm", source, mask)
    written = pydicom.dcmread(tmp_path / "new" / "seg.dcm")
    np.testing.assert_array_equal(written.pixel_array, mask)
    assert (written.Modality, written.SegmentationType) == ("SEG", "BINARY")
    assert written.StudyInstanceUID == header.StudyInstanceUID
    assert written.SeriesInstanceUID != header.SeriesInstanceUID
    assert (written.PatientID, written.PatientName) == (header.PatientID, header.PatientName)
    (reference,) = written.SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == header.SOPInstanceUID
    assert reference.ReferencedSOPClassUID == header.SOPClassUID
    assert "FrameOfReferenceUID" not in written


def test_the_segment_says_what_it_is_and_who_made_it(tmp_path):
    write_segmentation(tmp_path / "seg.dcm", grey_source(), np.ones((60, 80), np.uint8))
    (segment,) = pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence
    assert (segment.SegmentLabel, segment.SegmentAlgorithmType) == ("fetal head", "AUTOMATIC")
    kind = segment.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("69536005", "SCT")
    algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("fetal_seg", __version__)


def test_each_frame_of_a_video_has_its_mask(tmp_path):
    header = pydicom.dcmread(MULTI, stop_before_pixels=True)
    masks = np.stack([Ellipse(150, 110, 90 - k, 70 - k, 0.1 * k).rasterise(240, 320) for k in range(30)])
    masks[7] = 0
    write_segmentation(tmp_path / "seg.dcm", MULTI, masks)
    written = pydicom.dcmread(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(written.pixel_array, masks)
    sources = [
        frame.DerivationImageSequence[0].SourceImageSequence[0] for frame in written.PerFrameFunctionalGroupsSequence
    ]
    assert [source.ReferencedFrameNumber for source in sources] == list(range(1, 31))
    assert {source.ReferencedSOPInstanceUID for source in sources} == {header.SOPInstanceUID}
    references = {item.value for item in written.iterall() if item.keyword == "ReferencedSOPClassUID"}
    assert references == {header.SOPClassUID}


def test_highdicom_finds_the_masks_by_frame(tmp_path):
    masks = np.random.default_rng(0).integers(0, 2, (3, 240, 320), dtype=np.uint8)
    write_segmentation(tmp_path / "seg.dcm", MULTI, masks, [4, 20, 11])
    written = highdicom.seg.segread(tmp_path / "seg.dcm")
    found = written.get_pixels_by_source_frame(
        pydicom.dcmread(MULTI).SOPInstanceUID, [21, 5, 12], combine_segments=True, ignore_spatial_locations=True
    )
    np.testing.assert_array_equal(found, masks[[1, 0, 2]])
    places = [frame.FrameContentSequence[0].DimensionIndexValues for frame in written.PerFrameFunctionalGroupsSequence]
    assert places == [[1, 1], [1, 3], [1, 2]]


def test_one_frame_of_a_video(tmp_path):
    mask = HEAD.rasterise(240, 320) * np.uint8(255)
    write_segmentation(tmp_path / "seg.dcm", MULTI, mask, [12])
    written = pydicom.dcmread(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(written.pixel_array, mask // 255)
    frame = written.PerFrameFunctionalGroupsSequence[0]
    assert frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber == 13


def test_an_empty_mask_is_kept(tmp_path):
    write_segmentation(tmp_path / "seg.dcm", SINGLE, np.zeros((240, 320), np.uint8))
    assert not pydicom.dcmread(tmp_path / "seg.dcm").pixel_array.any()


@pytest.mark.parametrize(
    ("shape", "numbers"),
    [((240, 321), [0]), ((2, 240, 320), None), ((2, 240, 320), [0]), ((240, 320), None), ((240, 320), [30])],
)
def test_masks_that_do_not_fit_the_source_are_a_mistake_of_the_caller(tmp_path, shape, numbers):
    with pytest.raises(ValueError, match="do not fit 30 frames of 240 x 320") as raised:
        write_segmentation(tmp_path / "seg.dcm", MULTI, np.zeros(shape, np.uint8), numbers)
    assert not isinstance(raised.value, InputError)


# Reports


@pytest.mark.parametrize("source", [SINGLE, PALETTE], ids=["rgb", "palette"])
def test_a_report_holds_the_numbers_with_their_codes_and_units(tmp_path, source):
    header = pydicom.dcmread(source)
    write_report(tmp_path / "new" / "sr.dcm", source, row_of(HEAD))
    report = pydicom.dcmread(tmp_path / "new" / "sr.dcm")
    assert numbers(report) == {
        "11984-2": (pytest.approx(172.512345678), "mm", "LN"),
        "11820-8": (pytest.approx(100 / 3), "mm", "LN"),
        "11851-3": (pytest.approx(61.2), "mm", "LN"),
        "42798000": (pytest.approx(2345.6789), "mm2", "SCT"),
    }
    assert comments(report) == ["ok"]
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (report.StudyInstanceUID, report.VerificationFlag) == (header.StudyInstanceUID, "UNVERIFIED")
    (image,) = items(report, "IMAGE")
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID


def test_the_outline_is_an_ellipse_counted_from_the_corner_of_the_first_pixel(tmp_path):
    write_report(tmp_path / "sr.dcm", SINGLE, row_of(Ellipse(100, 80, 50, 30, 0)))
    (region,) = items(pydicom.dcmread(tmp_path / "sr.dcm"), "SCOORD")
    assert region.GraphicType == "ELLIPSE"
    assert np.reshape(region.GraphicData, (4, 2)) == pytest.approx(
        np.array([[150.5, 80.5], [50.5, 80.5], [100.5, 110.5], [100.5, 50.5]])
    )


@pytest.mark.parametrize("center", [(20, 30), (300, 200), (160, 5), (160, 120)])
def test_of_a_head_that_leaves_the_frame_the_outline_is_what_lies_inside(tmp_path, center):
    head = Ellipse(*center, 180, 130, 0.5)
    write_report(tmp_path / "sr.dcm", SINGLE, row_of(head))
    (region,) = items(pydicom.dcmread(tmp_path / "sr.dcm"), "SCOORD")
    assert region.GraphicType == "POLYLINE"
    x, y = np.reshape(region.GraphicData, (-1, 2)).T
    assert (x[0], y[0]) == (x[-1], y[-1])
    assert 0 <= x.min() <= x.max() <= 320
    assert 0 <= y.min() <= y.max() <= 240
    area = abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2
    assert area == pytest.approx(head.rasterise(240, 320).sum(), rel=0.002)


def test_a_report_of_frames_has_a_group_for_each(tmp_path):
    rows = [row_of(HEAD, frame=3, hc_mm=100.0), {"file": "a", "frame": 4, "flag": "no head", "reasons": "too dark"}]
    write_report(tmp_path / "sr.dcm", MULTI, rows)
    report = highdicom.sr.srread(tmp_path / "sr.dcm")
    assert comments(report) == ["ok", "no head: too dark"]
    frames = [image.ReferencedSOPSequence[0].ReferencedFrameNumber for image in items(report, "IMAGE")]
    assert frames == [4, 5]
    (measured,) = report.content.get_planar_roi_measurement_groups()
    assert [number.value for number in measured.get_measurements()] == [100.0, *list(row_of(HEAD).values())[7:10]]
    (missed,) = report.content.get_image_measurement_groups()
    assert not missed.get_measurements()


def test_without_a_pixel_size_there_are_no_numbers_but_the_outline_and_the_reasons(tmp_path):
    unknown = dict.fromkeys(("hc_mm", "bpd_mm", "ofd_mm", "area_mm2"))
    reasons = ["cut by the frame", "5 \N{LESS-THAN OR EQUAL TO} 7"]
    write_report(tmp_path / "sr.dcm", SINGLE, row_of(HEAD, flag="check", reasons=reasons, **unknown))
    report = pydicom.dcmread(tmp_path / "sr.dcm")
    assert not items(report, "NUM")
    assert len(items(report, "SCOORD")) == 1
    assert comments(report) == ["check: cut by the frame; 5 \N{LESS-THAN OR EQUAL TO} 7"]


def test_a_report_needs_a_row(tmp_path):
    with pytest.raises(ValueError, match="needs a row"):
        write_report(tmp_path / "sr.dcm", SINGLE, [])
