"""What tests of DICOM files share."""

import pytest


@pytest.fixture
def path(tmp_path):
    """Where a test writes its DICOM file."""
    return tmp_path / "a.dcm"
