"""How large the pixels of a DICOM file are, by its header."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fetal_seg.geometry.spacing import Region, Spacing

if TYPE_CHECKING:
    from pydicom import Dataset

# A head has ten pixels across at least, a hundred thousand at most
SMALLEST_PIXEL_MM, LARGEST_PIXEL_MM = 0.001, 10.0

TWO_D, TISSUE, CENTIMETRES = 1, 1, 3  # DICOM PS3.3 C.8.5.5.1: what regions for measuring have
UNITS = {0: "none", 1: "percent", 2: "dB", 3: "cm", 4: "s", 5: "Hz", 6: "dB/s", 7: "cm/s", 8: "cm²"}
UNITS |= {9: "cm²/s", 10: "cm³", 11: "cm³/s", 12: "degrees"}
DATA_TYPES = {2: "colour flow", 3: "pulsed-wave Doppler", 4: "continuous-wave Doppler"}

SPACINGS = {  # in order of preference
    "PixelSpacing": "dicom spacing",
    "NominalScannedPixelSpacing": "dicom nominal spacing",
    "ImagerPixelSpacing": "dicom imager spacing",
}


@dataclass(frozen=True)
class FileSpacing:
    """What a header says of the size of pixels.

    Attributes:
        spacing: the size wherever no region says otherwise; None where the header has none, or where its regions
            disagree.
        regions: the parts of the image that have a size of their own.
        notes: what was not used or is in doubt, each a short phrase.
    """

    spacing: Spacing | None = None
    regions: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()


def read_spacing(header: "Dataset") -> FileSpacing:
    """The size of pixels: of regions of 2D tissue first, in their own units, then of the whole image.

    Source: DICOM PS3.3, C.8.5.5 (US Region Calibration) and 10.7.1 (Pixel Spacing: that of rows, along y, is first).
    Signs of increments are dropped: they tell the direction of the axis.
    """
    regions: list[Region] = []
    notes: list[str] = []
    items = header.get("SequenceOfUltrasoundRegions") or ()
    for number, item in enumerate(items, 1):
        region, problem = _region(item, header.Columns, header.Rows)
        regions += [region] if region else []
        notes += [f"region {number} of the file {problem}"] if problem else []
    distinct = {region.spacing for region in regions}
    if distinct:
        return FileSpacing(distinct.pop() if len(distinct) == 1 else None, tuple(regions), tuple(notes))
    spacing, problems = _image_spacing(header)
    notes += problems
    if items and spacing is None:
        notes.append("no region of the file tells the size of its pixels")
    return FileSpacing(spacing, (), tuple(notes))


def _region(item: "Dataset", width: int, height: int) -> tuple[Region | None, str | None]:
    """A region that can be measured in, and what is to be said of it."""
    units = [int(item.get(f"PhysicalUnits{axis}Direction") or 0) for axis in "XY"]
    data_type = int(item.get("RegionDataType") or 0)
    if units != [CENTIMETRES, CENTIMETRES]:
        names = ", ".join(dict.fromkeys(UNITS.get(unit, "unknown") for unit in units))
        return None, f"is calibrated in other units ({names}), not used"
    if data_type != TISSUE or int(item.get("RegionSpatialFormat") or 0) != TWO_D:
        return None, f"shows {DATA_TYPES.get(data_type, 'something else')}, not 2D tissue, not used"
    x_mm, y_mm = (10 * abs(_number(item.get(f"PhysicalDelta{axis}"))) for axis in "XY")
    if not (_is_plausible(x_mm) and _is_plausible(y_mm)):
        return None, f"has an impossible pixel size ({x_mm:.3g} x {y_mm:.3g} mm), not used"
    return _inside_image(item, width, height, Spacing(x_mm, y_mm, "dicom region"))


def _inside_image(item: "Dataset", width: int, height: int, spacing: Spacing) -> tuple[Region | None, str | None]:
    """The region within the image. One that reaches farther was made for another image, of which this is a copy."""
    left, top, right, bottom = (
        int(item.get(f"RegionLocation{side}", default))
        for side, default in (("MinX0", 0), ("MinY0", 0), ("MaxX1", width - 1), ("MaxY1", height - 1))
    )
    region = Region(max(left, 0), max(top, 0), min(right, width - 1), min(bottom, height - 1), spacing)
    if region.left > region.right or region.top > region.bottom:
        return None, "lies outside the image, not used"
    if right > width or bottom > height:  # the last pixel or the one behind it: makers differ
        return replace(region, spacing=replace(spacing, is_doubtful=True)), (
            f"reaches beyond the image ({right} x {bottom} of {width} x {height} px): it may have been made smaller "
            "or cut, check the pixel size"
        )
    return region, None


def _image_spacing(header: "Dataset") -> tuple[Spacing | None, list[str]]:
    """The first plausible spacing of the whole image, and what is wrong with those before it."""
    problems: list[str] = []
    for keyword, source in SPACINGS.items():
        if pair := tuple(_numbers(header, keyword)):
            if len(pair) == 2 and all(map(_is_plausible, pair)):
                return Spacing(pair[1], pair[0], source), problems
            problems.append(f"{keyword} is impossible ({' x '.join(f'{value:.3g}' for value in pair)} mm), not used")
    return None, problems


def _numbers(header: "Dataset", keyword: str) -> Iterator[float]:
    try:
        values = header.get(keyword)
    except ValueError:  # pydicom turns text into numbers when it is asked for them
        values = [math.nan]
    if values is not None:
        yield from (_number(value) for value in (values if hasattr(values, "__iter__") else [values]))


def _number(value: object) -> float:
    """As a float; NaN where it is none."""
    try:
        return float(value)  # type: ignore[arg-type]  # reason: whatever a file holds: what is no number is caught
    except (TypeError, ValueError):
        return math.nan


def _is_plausible(size_mm: float) -> bool:
    return SMALLEST_PIXEL_MM <= size_mm <= LARGEST_PIXEL_MM  # never true of NaN
