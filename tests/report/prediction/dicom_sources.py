"""DICOM images that objects are made of, and the rows of their heads, for tests."""

import pydicom
from pydicom import examples
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from fetal_seg.geometry.ellipse import Ellipse

SINGLE, PALETTE, MULTI = (examples.get_path(name) for name in ("rgb_color", "palette_color", "ybr_color"))
HEAD = Ellipse(150, 110, 90, 70, 0.3)


def grey_source(path=None, **changes):
    """An ultrasound image of 60 x 80 in grey; a change to None takes the element away."""
    source = pydicom.Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    source.SOPClassUID, source.SOPInstanceUID = UltrasoundImageStorage, generate_uid()
    source.StudyInstanceUID, source.SeriesInstanceUID = generate_uid(), generate_uid()
    source.Modality, source.PhotometricInterpretation = "US", "MONOCHROME2"
    source.Rows, source.Columns, source.SamplesPerPixel = 60, 80, 1
    source.BitsAllocated, source.BitsStored, source.HighBit, source.PixelRepresentation = 8, 8, 7, 0
    source.PixelData = bytes(60 * 80)
    for keyword, value in changes.items():
        if value is None:
            delattr(source, keyword)
        else:
            setattr(source, keyword, value)
    if path is not None:
        source.save_as(path, enforce_file_format=True)
    return source


def row_of(ellipse, **changes):
    return {
        "file": "a.dcm",
        "center_x_px": ellipse.center_x,
        "center_y_px": ellipse.center_y,
        "semi_axis_a_px": ellipse.semi_axis_a,
        "semi_axis_b_px": ellipse.semi_axis_b,
        "angle_rad": ellipse.angle_rad,
        "hc_mm": 172.512345678,
        "bpd_mm": 100 / 3,
        "ofd_mm": 61.2,
        "area_mm2": 2345.6789,
        "flag": "ok",
        "reasons": [],
    } | changes
