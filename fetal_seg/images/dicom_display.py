"""Stored values of DICOM pixels as the grey values that a viewer shows."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fetal_seg.geometry.arrays import Grey
from fetal_seg.images.grey import luma

if TYPE_CHECKING:
    from pydicom import Dataset

COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")  # pydicom gives RGB for each


def displayed_grey(stored: NDArray[Any], header: "Dataset") -> Grey:
    """Stored values (height, width) or (height, width, channels) as grey values of 0 to 255.

    Colours become luma (ITU-R 601), monochrome is shown as its modality and VOI tables or its window say, else
    scaled from the bits stored; MONOCHROME1 is inverted.

    Raises:
        ValueError: the photometric interpretation is not known.
    """
    from pydicom.pixels import apply_color_lut

    kind = header.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        colours = apply_color_lut(stored, header)[..., :3]
        is_wide = header.RedPaletteColorLookupTableDescriptor[2] > 8
        return luma((colours >> 8 if is_wide else colours).astype(np.uint8))  # many tables are 8 bits, shifted up
    if kind in COLOURS:
        return luma(_scaled(stored, 0, 2**header.BitsStored - 1))
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise ValueError(f"photometric interpretation {kind} is not known")
    grey = _scaled(*_displayed(stored, header))
    return 255 - grey if kind == "MONOCHROME1" else grey


def _displayed(stored: NDArray[Any], header: "Dataset") -> tuple[NDArray[Any], float, float]:
    """Monochrome values as they are meant to be seen, and the values that mean black and white."""
    from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing

    is_signed, bits = header.PixelRepresentation == 1, header.BitsStored
    limits = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if is_signed else [0, 2**bits - 1])
    values = apply_modality_lut(stored, header)
    if tables := header.get("ModalityLUTSequence"):
        limits = np.array([0, 2 ** tables[0].LUTDescriptor[2] - 1])
    else:
        limits = np.sort(apply_modality_lut(limits, header))
    if tables := header.get("VOILUTSequence"):
        return apply_voi(values, header), 0, 2 ** tables[0].LUTDescriptor[2] - 1
    if header.get("WindowCenter") is None or header.get("WindowWidth") is None:
        return values, *limits
    try:
        return apply_windowing(values, header), *apply_windowing(np.array([-np.inf, np.inf]), header)
    except ValueError:  # a width of 0, say: as if there were no window
        return values, *limits


def _scaled(values: NDArray[Any], low: float, high: float) -> Grey:
    """From low to high as 0 to 255."""
    if values.dtype == np.uint8 and (low, high) == (0, 255):
        return values
    return np.clip(np.rint((values.astype(np.float64) - low) * (255 / (high - low))), 0, 255).astype(np.uint8)
