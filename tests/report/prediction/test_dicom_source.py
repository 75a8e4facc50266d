import copy
import logging
import sys
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.data import get_charset_files
from pydicom.uid import generate_uid

from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.report.prediction.dicom_objects import write_report, write_segmentation
from tests.report.prediction.dicom_sources import HEAD, MULTI, SINGLE, grey_source, row_of

pytest.importorskip("highdicom", reason="the extra `dicom` is not installed")


def write_both(folder, source):
    header = pydicom.dcmread(source) if not isinstance(source, pydicom.Dataset) else source
    write_segmentation(folder / "seg.dcm", source, np.ones((header.Rows, header.Columns), np.uint8))
    write_report(folder / "sr.dcm", source, row_of(Ellipse(30, 30, 20, 15, 0)))
    return [pydicom.dcmread(folder / name) for name in ("seg.dcm", "sr.dcm")]


def test_what_the_standard_allows_to_be_empty_may_be_missing(tmp_path):
    source = grey_source(tmp_path / "a.dcm", Modality=None)
    for written in write_both(tmp_path, tmp_path / "a.dcm"):
        assert written.StudyInstanceUID == source.StudyInstanceUID
        assert (written.PatientID, str(written.PatientName), written.StudyDate) == ("", "", "")


def test_a_frame_of_reference_without_a_position_and_unknown_values_do_no_harm(tmp_path):
    changes = {
        "FrameOfReferenceUID": generate_uid(),
        "PatientSex": "X",
        "PatientName": "one part",
        "PixelSpacing": [1, 1],
    }
    for written in write_both(tmp_path, grey_source(**changes)):
        assert (written.PatientSex, str(written.PatientName)) == ("", "one part")
        assert "FrameOfReferenceUID" not in written


def test_names_in_other_scripts_are_kept(tmp_path):
    foreign = pydicom.dcmread(get_charset_files("chrH31.dcm")[0])
    source = grey_source(SpecificCharacterSet=foreign.SpecificCharacterSet, PatientName=foreign.PatientName)
    source.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    for written in write_both(tmp_path, tmp_path / "a.dcm"):
        assert written.PatientName == foreign.PatientName
        assert "山田" in str(written.PatientName)


@pytest.mark.parametrize("source", [SINGLE, MULTI], ids=["single", "multi"])
def test_a_dataset_as_source_is_not_changed(tmp_path, source):
    dataset = pydicom.dcmread(source)
    before = copy.deepcopy(dataset)
    frames = int(dataset.get("NumberOfFrames", 1))
    write_segmentation(tmp_path / "seg.dcm", dataset, np.ones((frames, 240, 320), np.uint8))
    write_report(tmp_path / "sr.dcm", dataset, row_of(HEAD))
    assert dataset == before


def test_nothing_leaks_to_the_terminal(tmp_path, capfd):
    level = logging.getLogger("highdicom").level
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_segmentation(tmp_path / "seg.dcm", MULTI, HEAD.rasterise(240, 320), [0])  # its patient's name is unusual
        write_report(tmp_path / "sr.dcm", MULTI, row_of(HEAD, frame=0))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("highdicom").level == level


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("kind", ["segmentation", "report"])
def test_a_source_that_nothing_can_refer_to_is_refused(tmp_path, keyword, kind):
    source = grey_source(**{keyword: None})
    with pytest.raises(InputError, match=f"the DICOM source: its header lacks {keyword}"):
        if kind == "segmentation":
            write_segmentation(tmp_path / "x.dcm", source, np.ones((60, 80), np.uint8))
        else:
            write_report(tmp_path / "x.dcm", source, row_of(HEAD))
    assert not list(tmp_path.iterdir())


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.dcm: the file cannot be read \(No such file"):
        write_report(tmp_path / "x.dcm", tmp_path / "none.dcm", row_of(HEAD))
    (tmp_path / "a.png").write_bytes(b"\x89PNG" * 100)
    with pytest.raises(InputError, match=r"a\.png: it is no DICOM file"):
        write_report(tmp_path / "x.dcm", tmp_path / "a.png", row_of(HEAD))


def test_what_highdicom_refuses_is_told_in_a_sentence(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = grey_source(StudyDate="yesterday")
    with pytest.raises(InputError, match=r"no DICOM-SEG can be written for it \(.*\); check its header"):
        write_segmentation(tmp_path / "x.dcm", source, np.ones((60, 80), np.uint8))
    assert not list(tmp_path.iterdir())


def test_without_highdicom_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    for write, what in ((write_segmentation, np.ones((240, 320), np.uint8)), (write_report, row_of(HEAD))):
        with pytest.raises(InputError, match=r"pip install fetal_seg\[dicom\]"):
            write(tmp_path / "x.dcm", SINGLE, what)
