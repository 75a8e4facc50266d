"""How large a pixel is, and where in the image."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spacing:
    """How large a pixel is.

    Attributes:
        x_mm, y_mm: distance of pixel centres along x and along y, mm; positive.
        source: where it is from, in a few words: ``given``, ``csv``, ``dicom region``, ``dicom spacing``, ``dicom
            nominal spacing``, ``dicom imager spacing``.
        is_doubtful: whether the file contradicts itself about it.
    """

    x_mm: float
    y_mm: float
    source: str
    is_doubtful: bool = False


@dataclass(frozen=True)
class Region:
    """A part of the image that shows tissue in two dimensions: whole pixels, all four sides inclusive.

    >>> region = Region(0, 0, 799, 539, Spacing(0.12, 0.12, "dicom region"))
    >>> region.area, region.holds(799.4, 0), region.holds(800, 0)
    (432000, True, False)
    """

    left: int
    top: int
    right: int
    bottom: int
    spacing: Spacing

    @property
    def area(self) -> int:
        """Its size in pixels."""
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, in pixels, lies in the region."""
        return self.left - 0.5 <= x < self.right + 0.5 and self.top - 0.5 <= y < self.bottom + 0.5
