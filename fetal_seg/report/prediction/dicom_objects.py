"""What a hospital's other programs read: a mask as DICOM-SEG, and measurements as DICOM-SR.

Both join the source's study and refer to the source, and to its frames, by UID. They say nothing of where the image
lies in the patient: a segmentation that is tied to its frames needs no frame of reference (DICOM PS3.3, A.51), and 2D
ultrasound rarely has one. For research use; not a medical device.

The package highdicom builds them. It comes with the extra ``dicom`` and is imported only when something is written.
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fetal_seg.evaluation.tables import Row
from fetal_seg.files import whole_file
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.report.prediction.dicom_source import (
    LABEL,
    PROGRAM,
    identity,
    import_highdicom,
    quiet,
    read_header,
    refusing,
)
from fetal_seg.report.prediction.submission import row_ellipse
from fetal_seg.version import __version__

if TYPE_CHECKING:
    from pydicom import Dataset

# Columns of a row with their code and unit: LOINC has the lengths of fetal biometry (CID 12005), SNOMED the area.
CODED_COLUMNS = (
    ("hc_mm", "LN", "HeadCircumference", "Millimeter"),
    ("bpd_mm", "LN", "BiparietalDiameter", "Millimeter"),
    ("ofd_mm", "LN", "OccipitalFrontalDiameter", "Millimeter"),
    ("area_mm2", "SCT", "Area", "SquareMillimeter"),
)

_SEG_SERIES, _SR_SERIES = 9001, 9002  # numbers beyond those of a scanner's own series


def write_segmentation(
    path: Path, source: "Dataset | Path", mask: NDArray[np.uint8], frame_numbers: Sequence[int] | None = None
) -> None:
    """Write a mask as a binary DICOM-SEG of one segment, "fetal head", whole or not at all.

    Args:
        source: the DICOM file or dataset that was segmented; it is not changed.
        mask: (height, width) or (frames, height, width) of the source's size; nonzero is head. Empty masks are kept.
        frame_numbers: the frame of the source that each mask belongs to, from 0; None if there is a mask for each.

    Raises:
        InputError: highdicom is missing, the source cannot be read, or it lacks what the standard demands.
        ValueError: the masks do not fit the source or the frame numbers.
    """
    hd = import_highdicom()
    with quiet():
        header = read_header(source)
        masks, numbers = _masks_of_frames(mask, frame_numbers, header)
        with refusing(source, "DICOM-SEG"):
            segmentation = _first_frame(hd, header, masks[0])
            if _frame_count(header) > 1:
                _set_frames(segmentation, masks, numbers)
            with whole_file(path) as temporary:
                segmentation.save_as(temporary, enforce_file_format=True)


def write_report(path: Path, source: "Dataset | Path", measurements: Row | Sequence[Row]) -> None:
    """Write measurements as a DICOM-SR (Comprehensive, TID 1500), whole or not at all.

    Each row becomes a measurement group: the head's outline as its region, `CODED_COLUMNS` in mm and mm^2 where they
    are known, and the flag with its reasons as a comment. Without a head it is the comment, and refers to the image.

    Args:
        source: the DICOM file or dataset that was measured; it is not changed.
        measurements: the row of ``predictions.csv`` of the image, or those of its frames (``frame`` from 0).

    Raises:
        InputError: highdicom is missing, the source cannot be read, or it lacks what the standard demands.
        ValueError: there is no row.
    """
    hd = import_highdicom()
    from pydicom.sr.codedict import codes

    rows = [measurements] if isinstance(measurements, Mapping) else list(measurements)
    if not rows:
        raise ValueError("a report needs a row to report")
    with quiet():
        header = read_header(source)
        head = hd.UID()  # one head, in however many frames
        with refusing(source, "DICOM-SR"):
            report = hd.sr.MeasurementReport(
                observation_context=_observation(hd),
                procedure_reported=codes.SCT.DiagnosticUltrasonography,
                imaging_measurements=[_group(hd, header, row, head) for row in rows],
            )
            document = hd.sr.ComprehensiveSR(
                evidence=[header], content=report, is_complete=True, **identity(hd, _SR_SERIES)
            )
            with whole_file(path) as temporary:
                document.save_as(temporary, enforce_file_format=True)


def _frame_count(header: "Dataset") -> int:
    return int(header.get("NumberOfFrames") or 1)


def _masks_of_frames(
    mask: NDArray[np.uint8], frame_numbers: Sequence[int] | None, header: "Dataset"
) -> tuple[NDArray[np.uint8], list[int]]:
    """The masks (frames, height, width) of 0 and 1, and their frames' numbers from 0."""
    masks = (mask if mask.ndim == 3 else mask[None]).astype(bool).astype(np.uint8)
    frames = _frame_count(header)
    numbers = list(range(frames)) if frame_numbers is None else list(frame_numbers)
    if masks.shape != (len(numbers), header.Rows, header.Columns) or not set(numbers) <= set(range(frames)):
        raise ValueError(
            f"masks of shape {mask.shape} for frames {numbers} do not fit {frames} frames of "
            f"{header.Rows} x {header.Columns}"
        )
    return masks, numbers


def _first_frame(hd: ModuleType, header: "Dataset", mask: NDArray[np.uint8]) -> "Dataset":
    """The segmentation of a source as if it had one frame."""
    from pydicom.sr.codedict import codes
    from pydicom.uid import UltrasoundImageStorage

    single = copy.deepcopy(header)  # of a class without frames: in others highdicom looks for what ultrasound lacks
    single.SOPClassUID = UltrasoundImageStorage
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=LABEL,
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=codes.SCT.Head,
        algorithm_type="AUTOMATIC",
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=PROGRAM, version=__version__, family=codes.DCM.ArtificialIntelligence
        ),
    )
    segmentation: Dataset = hd.seg.Segmentation(
        [single], mask, "BINARY", [segment], omit_empty_frames=False, **identity(hd, _SEG_SERIES)
    )
    segmentation.PatientOrientation = header.get("PatientOrientation") or ""  # demanded without a place in space
    for element in segmentation.iterall():
        for item in element.value if element.VR == "SQ" else ():
            if item.get("ReferencedSOPInstanceUID") == header.SOPInstanceUID:
                item.ReferencedSOPClassUID = header.SOPClassUID
    return segmentation


def _set_frames(segmentation: "Dataset", masks: NDArray[np.uint8], numbers: list[int]) -> None:
    """Put all masks where the first is: without a frame of reference, highdicom writes one frame only.

    Each refers to its frame of the source; what orders them is that frame's place in time.
    """
    from pydicom import Dataset
    from pydicom.datadict import tag_for_keyword
    from pydicom.pixels.utils import pack_bits

    time = Dataset()
    time.DimensionOrganizationUID = segmentation.DimensionIndexSequence[0].DimensionOrganizationUID
    time.DimensionIndexPointer = tag_for_keyword("TemporalPositionIndex")
    time.FunctionalGroupPointer = tag_for_keyword("FrameContentSequence")
    time.DimensionDescriptionLabel = "Temporal Position Index"
    segmentation.DimensionIndexSequence.append(time)
    template = segmentation.PerFrameFunctionalGroupsSequence[0]
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers)), start=1)}  # an index leaves no gaps
    frames = [copy.deepcopy(template) for _ in numbers]
    for frame, number in zip(frames, numbers, strict=True):
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = number + 1
        frame.FrameContentSequence[0].TemporalPositionIndex = number + 1
        frame.FrameContentSequence[0].DimensionIndexValues = [1, ranks[number]]
    segmentation.PerFrameFunctionalGroupsSequence = frames
    segmentation.NumberOfFrames = len(numbers)
    segmentation.PixelData = pack_bits(masks.ravel())


def _observation(hd: ModuleType) -> Any:
    """Who observed, and whom: this program, and a fetus."""
    from pydicom.sr.codedict import codes

    program = hd.sr.DeviceObserverIdentifyingAttributes(uid=hd.UID(), name=PROGRAM, manufacturer_name=PROGRAM)
    return hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, program),
        subject_context=hd.sr.SubjectContext(codes.DCM.Fetus, hd.sr.SubjectContextFetus(subject_id="1")),
    )


def _group(hd: ModuleType, header: "Dataset", row: Row, head: str) -> Any:
    """The measurement group of a row."""
    from pydicom.sr.codedict import codes

    ellipse, frame = row_ellipse(row), row.get("frame")
    image = (header.SOPClassUID, header.SOPInstanceUID, None if frame is None else [frame + 1])
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(head, LABEL),
        "finding_type": codes.SCT.Head,
        "algorithm_id": hd.sr.AlgorithmIdentification(PROGRAM, __version__),
    }
    if ellipse is None:
        sources = [hd.sr.SourceImageForMeasurementGroup(*image)]
        group = hd.sr.MeasurementsAndQualitativeEvaluations(**common, source_images=sources)
    else:
        kind, points = _outline(ellipse, header.Rows, header.Columns)
        region = hd.sr.ImageRegion(kind, points, hd.sr.SourceImageForRegion(*image))
        group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            **common, referenced_region=region, measurements=_numbers(hd, row)
        )
    comment = hd.sr.TextContentItem(codes.DCM.Comment, _comment(row), hd.sr.RelationshipTypeValues.CONTAINS)
    group[0].ContentSequence.append(comment)  # the templates 1410 and 1501 leave room for more, not for free text
    return group


def _numbers(hd: ModuleType, row: Row) -> list[Any]:
    from pydicom.sr.codedict import codes

    return [
        hd.sr.Measurement(getattr(getattr(codes, scheme), name), float(row[column]), getattr(codes.UCUM, unit))
        for column, scheme, name, unit in CODED_COLUMNS
        if row.get(column) is not None
    ]


def _outline(ellipse: Ellipse, height: int, width: int) -> tuple[str, NDArray[np.floating]]:
    """DICOM's graphic type and points (n, 2): the ellipse, or a polygon of what lies in the frame.

    DICOM counts from the corner of the first pixel, not from its centre: half a pixel more.
    """
    import cv2

    half_width, half_height = ellipse.half_extent
    x, y = ellipse.center_x + 0.5, ellipse.center_y + 0.5
    if half_width <= x <= width - half_width and half_height <= y <= height - half_height:
        return "ELLIPSE", ellipse.points(4)[[0, 2, 1, 3]] + 0.5  # the ends of the long axis, then of the short one
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    _, inside = cv2.intersectConvexConvex((ellipse.points(180) + 0.5).astype(np.float32), frame)
    points = np.reshape(inside, (-1, 2))
    return "POLYLINE", np.concatenate([points, points[:1]])


def _comment(row: Row) -> str:
    reasons = row.get("reasons") or ""
    reasons = reasons if isinstance(reasons, str) else "; ".join(reasons)
    return f"{row['flag']}: {reasons}" if reasons else str(row["flag"])
