"""DICOM files of small images, for tests of what reads them."""

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from fetal_seg.images.reader import read_frames

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
