"""What tests of predictions share."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.commands.predict.scanner_files import grey_of_archive, write_scan, write_video


@pytest.fixture(scope="session")
def scans(phantoms, tmp_path_factory):
    """A folder of a scanner: phantoms as PNG, JPEG, 16-bit TIFF, DICOM and video, in sub-folders."""
    folder = tmp_path_factory.mktemp("scans") / "scanner"
    (folder / "a" / "b").mkdir(parents=True)
    with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
        images = [grey_of_archive(archive, name) for name in sorted(archive.namelist()) if name.endswith(".png")]
    Image.fromarray(images[0]).save(folder / "one.png")
    Image.fromarray(images[1]).convert("RGB").save(folder / "a" / "one.jpg", quality=95)
    Image.fromarray(images[2].astype(np.uint16) * 257).save(folder / "a" / "b" / "wide.tif")
    write_scan(folder / "a" / "scan.dcm", images[0], 0.21)
    write_video(folder / "clip.avi", images * 2)
    return folder
