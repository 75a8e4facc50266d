"""DICOM files on the page beside predict.py: the same pixels, pixel sizes, notes and doubts."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from pydicom import examples
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from fetal_seg.data.phantom.writing import write_phantoms
from tests.dicom_files import region, write_dicom
from tests.web.conftest import assert_same


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A phantom (540, 800)."""
    folder = tmp_path_factory.mktemp("phantom")
    write_phantoms(folder, train=0, test=1, seed=3)
    with zipfile.ZipFile(folder / "test_set.zip") as content:
        name = next(name for name in content.namelist() if name.endswith(".png"))
        return np.asarray(Image.open(io.BytesIO(content.read(name))).convert("L"))


def coloured(grey):
    return np.stack([grey, (0.9 * grey).astype(np.uint8), (0.8 * grey).astype(np.uint8)], -1)


def jpeg(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "jpeg", quality=95, **options)
    return stream.getvalue()


def table_of(count, first, bits):
    item = Dataset()
    item.LUTDescriptor = [count, first, bits]
    item.LUTData = (np.linspace(0, 1, count) ** 0.8 * (2**bits - 1)).astype("<u2").tobytes()
    item["LUTData"].VR = "OW"
    return item


def palette(grey, bits):
    """A palette of grey values, darker in green and blue."""
    elements = {}
    for colour, gain in {"Red": 1.0, "Green": 0.9, "Blue": 0.8}.items():
        entries = (gain * grey).astype(np.uint16)
        stored = entries.astype(np.uint8) if bits == 8 else (entries << 8).astype("<u2")
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [len(grey), 0, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = stored.tobytes()
    return elements


def write_pixels(folder, head):
    """The same head, stored in the ways that there are."""
    regions = [region(0, 0, 799, 539, 0.012)]
    wide = head.astype(np.uint16) * 16
    window = {"WindowCenter": 1800, "WindowWidth": 3000}
    kinds = {
        "plain": (head, {}),
        "monochrome1": (255 - head, {"PhotometricInterpretation": "MONOCHROME1"}),
        "rgb": (coloured(head), {}),
        "planar": (
            np.moveaxis(coloured(head), -1, 0).copy(),
            {"Rows": 540, "Columns": 800, "SamplesPerPixel": 3, "PlanarConfiguration": 1}
            | {"PhotometricInterpretation": "RGB"},
        ),
        "twelve_bits": (wide, {"BitsStored": 12, "HighBit": 11}),
        "window": (wide, {"BitsStored": 12, "HighBit": 11, **window}),
        "sigmoid": (wide, {"BitsStored": 12, "HighBit": 11, **window, "VOILUTFunction": "SIGMOID"}),
        "exact": (wide, {"BitsStored": 12, "HighBit": 11, **window, "VOILUTFunction": "LINEAR_EXACT"}),
        "no_window": (wide, {"BitsStored": 12, "HighBit": 11, "WindowCenter": 100, "WindowWidth": 0}),
        "signed": (
            (head.astype(np.int16) - 100) * 8,
            {"BitsStored": 12, "HighBit": 11, "WindowCenter": 220, "WindowWidth": 2040},
        ),
        "rescaled": (
            wide,
            {"RescaleSlope": "0.5", "RescaleIntercept": "-10", "WindowCenter": 900, "WindowWidth": 2000},
        ),
        "voi_table": (head, {"VOILUTSequence": [table_of(256, 0, 16)]}),
        "modality_table": (head, {"ModalityLUTSequence": [table_of(200, 20, 16)]}),
        "ybr": (
            np.asarray(Image.fromarray(coloured(head)).convert("YCbCr")),
            {"PhotometricInterpretation": "YBR_FULL"},
        ),
    }
    order = np.random.default_rng(0).permutation(256).astype(np.uint8)  # stored values are indices in any order
    for name, bits in {"palette": 16, "short_palette": 8}.items():
        kinds[name] = (order[head], {"PhotometricInterpretation": "PALETTE COLOR", **palette(np.argsort(order), bits)})
    full = np.asarray(Image.fromarray(coloured(head)).convert("YCbCr"))
    halved = np.stack([full[:, ::2, 0], full[:, 1::2, 0], full[:, ::2, 1], full[:, ::2, 2]], -1)
    shape = {"Rows": 540, "Columns": 800, "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    kinds["halved"] = (halved, shape | {"PhotometricInterpretation": "YBR_FULL_422"})
    for name, (pixels, elements) in kinds.items():
        write_dicom(folder / f"{name}.dcm", pixels, SequenceOfUltrasoundRegions=regions, **elements)
    for name, syntax in {"implicit": ImplicitVRLittleEndian, "big_endian": ExplicitVRBigEndian}.items():
        write_dicom(
            folder / f"{name}.dcm", wide, syntax, SequenceOfUltrasoundRegions=regions, BitsStored=12, HighBit=11
        )
    whole = (folder / "implicit.dcm").read_bytes()
    start = whole.index(b"\x08\x00\x16\x00")  # of the data set: what old files have alone
    (folder / "without_mark.dcm").write_bytes(whole[start:])


def test_pixels(head, on_page, by_predict, network, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    write_pixels(folder, head)
    page = on_page(sorted(folder.iterdir()), tmp_path)
    assert_same(page, by_predict(folder, tmp_path, network))
    for name, row in page.items():
        assert row["flag"] == "ok", (name, row["reasons"])
        assert row["pixel_size_source"] == "dicom region"


def test_baseline_jpeg(head, on_page, by_predict, network, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    regions = [region(0, 0, 799, 539, 0.012)]
    for name, pixels in {"grey": head, "colours": coloured(head)}.items():
        content = encapsulate([jpeg(pixels, **({"subsampling": 0} if pixels.ndim == 3 else {}))])
        kind = {"PhotometricInterpretation": "YBR_FULL_422"} if pixels.ndim == 3 else {}
        elements = {"PixelData": content, "SequenceOfUltrasoundRegions": regions, **kind}
        write_dicom(folder / f"{name}.dcm", pixels, JPEGBaseline8Bit, **elements)
    page = on_page(sorted(folder.iterdir()), tmp_path)
    # another decoder of JPEG is a grey value off here and there
    assert_same(page, by_predict(folder, tmp_path, network), relative=1e-3, scale=10)
    assert {row["flag"] for row in page.values()} == {"ok"}


def test_pixel_sizes_notes_and_doubts(head, on_page, by_predict, network, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    left, right = region(0, 0, 399, 539, 0.012), region(400, 0, 799, 539, 0.02)
    inner = region(100, 50, 700, 500, 0.014)
    kinds = {
        "none": {},
        "spacing": {"PixelSpacing": ["0.11", "0.12"]},
        "bad_spacing": {"PixelSpacing": ["0", "0.12"], "ImagerPixelSpacing": ["0.1", "0.1"]},
        "one_spacing": {"PixelSpacing": "0.12", "NominalScannedPixelSpacing": ["0.2", "0.2"]},
        "whole": {"SequenceOfUltrasoundRegions": [region(0, 0, 799, 539, 0.012)]},
        "behind": {"SequenceOfUltrasoundRegions": [region(0, 0, 800, 540, 0.012)]},
        "beyond": {"SequenceOfUltrasoundRegions": [region(0, 0, 1023, 767, 0.012)]},
        "outside": {"SequenceOfUltrasoundRegions": [region(900, 0, 1000, 539, 0.012)]},
        "two": {"SequenceOfUltrasoundRegions": [left, right]},
        "nested": {"SequenceOfUltrasoundRegions": [region(0, 0, 799, 539, 0.012), inner]},
        "negative": {"SequenceOfUltrasoundRegions": [region(0, 0, 799, 539, 0.012, PhysicalDeltaY=-0.011)]},
        "doppler": {"SequenceOfUltrasoundRegions": [region(RegionDataType=3), region(RegionDataType=2), left]},
        "time": {"SequenceOfUltrasoundRegions": [region(PhysicalUnitsXDirection=4, PhysicalUnitsYDirection=7)]},
        "impossible": {"SequenceOfUltrasoundRegions": [region(delta_cm=12.345678)], "PixelSpacing": ["0.1", "0.1"]},
        "absurd": {"PixelSpacing": ["3.5", "3.25"]},
        "capture": {"Modality": "OT", "PixelSpacing": ["0.12", "0.12"]},
        "unknown": {"Modality": None},
    }
    for name, elements in kinds.items():
        write_dicom(folder / f"{name}.dcm", head, **elements)
    files = sorted(folder.iterdir())
    page = on_page(files, tmp_path)
    assert_same(page, by_predict(folder, tmp_path, network))
    reasons = " ".join(row["reasons"] for row in page.values())
    for phrase in ("reaches beyond the image", "lies outside", "Doppler", "in other units (s, cm/s)", "is absurd"):
        assert phrase in reasons
    assert {row["pixel_size_source"] for row in page.values()} >= {"", "dicom spacing", "dicom nominal spacing"}
    (tmp_path / "given").mkdir()
    given = on_page(files, tmp_path, {file.name: 0.15 for file in files})
    python = by_predict(folder, tmp_path / "given", network, "pixel_size_mm=0.15")
    assert_same(given, {name: row | {"pixel_size_source": "csv"} for name, row in python.items()})
    assert "the file itself says 0.12 mm a pixel" in given["whole.dcm"]["reasons"]


def test_files_of_scanners(on_page, by_predict, network, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("ybr_color", "rgb_color"):
        (folder / f"{name}.dcm").write_bytes(examples.get_path(name).read_bytes())
    page = on_page(sorted(folder.iterdir()), tmp_path)
    python = by_predict(folder, tmp_path, network, "every=1000")  # their first frames
    python["ybr_color.dcm"]["reasons"] += "; only the first frame was read"
    python = {name: row | {"frame": ""} for name, row in python.items()}
    assert_same(page, python, relative=1e-3, scale=10)


def test_the_first_frame_of_a_file_that_breaks_off_later(head, on_page, tmp_path):
    whole = write_dicom(tmp_path / "whole.dcm", np.stack([head, head]), frames=2).read_bytes()
    (tmp_path / "short.dcm").write_bytes(whole[:-100])
    page = on_page([tmp_path / "short.dcm"], tmp_path)
    assert "only the first frame was read" in page["short.dcm"]["reasons"]
    assert page["short.dcm"]["flag"] == "ok"


def test_unusable_files(head, on_page, tmp_path):
    write_dicom(tmp_path / "ct.dcm", head, Modality="CT")
    write_dicom(tmp_path / "report.dcm", head, Modality="US", PixelData=None)
    write_dicom(tmp_path / "palette.dcm", head, PhotometricInterpretation="PALETTE COLOR")
    write_dicom(tmp_path / "hsv.dcm", coloured(head), PhotometricInterpretation="HSV")
    write_dicom(tmp_path / "rle.dcm", head, RLELossless, PixelData=encapsulate([b"1234"]))
    write_dicom(tmp_path / "broken.dcm", head, JPEGBaseline8Bit, PixelData=encapsulate([b"\xff\xd8\xff no jpeg"]))
    whole = write_dicom(tmp_path / "whole.dcm", head).read_bytes()
    (tmp_path / "short.dcm").write_bytes(whole[:-100])
    (tmp_path / "header.dcm").write_bytes(whole[:300])
    names = ["ct", "report", "palette", "hsv", "rle", "broken", "short", "header"]
    page = on_page([tmp_path / f"{name}.dcm" for name in names], tmp_path)
    reasons = {name: page[f"{name}.dcm"]["reasons"] for name in names}
    assert {row["flag"] for row in page.values()} == {"error"}
    assert all(reason.startswith(f"{name}.dcm: ") for name, reason in reasons.items())
    assert reasons["ct"] == "ct.dcm: modality CT is not ultrasound; it must be US; take another file"
    assert "holds no image (modality US)" in reasons["report"]
    assert "it must be uncompressed or baseline JPEG" in reasons["rle"]
    assert "it has no palette of red" in reasons["palette"]
    assert "photometric interpretation HSV is not known" in reasons["hsv"]
    assert "it holds 0 of 1 frames" in reasons["short"]
