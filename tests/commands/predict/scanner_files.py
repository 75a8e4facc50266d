"""Files of a scanner, and predict.py called on them, for tests."""

import numpy as np
from PIL import Image

from tests.conftest import run_command


def run_predict(*arguments, cwd, env=None):
    """Call predict.py; it must succeed. Gives the process."""
    done = run_command("predict.py", *arguments, cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    return done


def grey_of_archive(archive, name):
    with archive.open(name) as file:
        return np.asarray(Image.open(file).convert("L"))


def write_scan(path, image, size_mm, **changes):
    """An ultrasound image with a calibrated 2D region."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = image.shape[1] - 1, image.shape[0] - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = size_mm / 10
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = UltrasoundImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.StudyInstanceUID, header.SeriesInstanceUID = generate_uid(), generate_uid()
    header.Modality, header.PatientID, header.PatientName = "US", "1", "A"
    header.Rows, header.Columns = image.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 8, 8, 7, 0
    header.PixelData = image.tobytes() + b"\0" * (image.size % 2)
    header.SequenceOfUltrasoundRegions = [region]
    for name, value in changes.items():
        setattr(header, name, value)
    header.save_as(path, enforce_file_format=True)


def write_video(path, images):
    import cv2

    height, width = images[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5, (width, height))
    for image in images:
        writer.write(np.dstack([np.asarray(Image.fromarray(image).resize((width, height)))] * 3))
    writer.release()
