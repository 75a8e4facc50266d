"""What was measured in one image, with its units, and whether it can be trusted."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.measurement import conformal
from fetal_seg.measurement.biometry import OUT_OF_RANGE, Biometry
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.quality import Quality, size_reasons


class Flag(StrEnum):
    """What became of an image; tables have these words."""

    OK = "ok"  # measured
    CHECK = "check"  # measured, but a person is to look at it
    NO_HEAD = "no head"  # nothing in the image looks like a head
    ERROR = "error"  # the file cannot be read


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Prediction:
    """What is found in one image, in its pixels.

    Attributes:
        mask: (height, width) uint8 at the image's own size, 1 in the head.
        ellipse: the head's outline in pixels of the image; None where there is no head.
        quality: how good it is; where there is no head that of what was found instead, None where that is nothing.
    """

    mask: NDArray[np.uint8]
    ellipse: Ellipse | None
    quality: Quality | None = None

    @classmethod
    def nothing(cls, height: int, width: int, quality: Quality | None = None) -> "Prediction":
        """No head in an image of this size, but perhaps something else."""
        return cls(np.zeros((height, width), np.uint8), None, quality)

    def turned_back(self) -> "Prediction":
        """What was found in a picture that `np.rot90` had turned, in the picture as it was before."""
        mask = np.ascontiguousarray(np.rot90(self.mask, -1))
        quality = replace(self.quality, turned=True) if self.quality else None
        if self.ellipse is None or quality is None or not quality.is_head:
            return Prediction.nothing(mask.shape[0], mask.shape[1], quality)
        back = np.array([[0.0, -1.0, mask.shape[1] - 1], [1.0, 0.0, 0.0]])
        return Prediction(mask, self.ellipse.transform(back), quality)


@dataclass(frozen=True, eq=False)
class Measurement:
    """A head's ellipse and biometry. For research use; not a medical device.

    Attributes:
        flag: ``ok``, ``check`` or ``no head``.
        reasons: why the flag is not ``ok``, and what else is to be known, each a short phrase.
        mask: (height, width) uint8, 1 in the head.
        ellipse: in pixels of the image; None without a head.
        spacing: size of a pixel, mm; None where it is not known: then all lengths in mm are None.
        confidence: mean probability in the region that was found, 0.5 to 1; None without a head.
        head_probability: that what was found is a fetal head in a standard plane, 0 to 1, whether it was measured or
            not; None where nothing was found, or the checkpoint cannot tell.
        hc_px: circumference, px; by the mean side of a pixel where pixels are not square.
        hc_low_mm, hc_high_mm: ends of the 90 % interval of the circumference, mm; None where the checkpoint
            was not calibrated.
        biometry: lengths, area and ages; None without a head or a pixel size.
        gestational_age_weeks: as given, known from elsewhere.
    """

    flag: Flag
    reasons: tuple[str, ...]
    mask: NDArray[np.uint8]
    ellipse: Ellipse | None = None
    spacing: Spacing | None = None
    confidence: float | None = None
    hc_px: float | None = None
    hc_low_mm: float | None = None
    hc_high_mm: float | None = None
    biometry: Biometry | None = None
    gestational_age_weeks: float | None = None
    head_probability: float | None = None

    @classmethod
    def from_prediction(
        cls,
        prediction: Prediction,
        spacing: Spacing | None,
        *,
        calibration: Calibration | None = None,
        gestational_age_weeks: float | None = None,
        notes: tuple[str, ...] = (),
    ) -> "Measurement":
        """Turn what was found in pixels into millimetres.

        Args:
            calibration: of the checkpoint; without one there is no interval.
            notes: what is to be known of the file; added to the reasons.
        """
        ellipse, quality = prediction.ellipse, prediction.quality
        common: dict[str, Any] = {"mask": prediction.mask, "gestational_age_weeks": gestational_age_weeks}
        common |= {"head_probability": quality.head_probability if quality else None}
        if ellipse is None:
            return cls(Flag.NO_HEAD, (_why_no_head(quality), *notes), spacing=spacing, **common)
        doubts, confidence = (quality.reasons(), quality.confidence) if quality else ([], None)
        common |= {"ellipse": ellipse, "confidence": confidence, "hc_px": ellipse.circumference}
        if spacing is None:
            reasons = (*doubts, "pixel size unknown: results in pixels", *notes)
            return cls(Flag.CHECK if doubts else Flag.OK, reasons, **common)
        biometry = Biometry.from_ellipse(ellipse.scaled(spacing.x_mm, spacing.y_mm), gestational_age_weeks)
        doubts += ["the file's pixel size is in doubt"] if spacing.is_doubtful else []
        doubts += size_reasons(spacing.x_mm, spacing.y_mm, biometry.hc_mm, biometry.hc_z)
        held_out = calibration.interval if calibration else None
        if held_out and quality:
            width = conformal.half_width(held_out, biometry.hc_mm, quality.confidence)
            if width is not None:
                common |= {"hc_low_mm": max(biometry.hc_mm - width, 0.0), "hc_high_mm": biometry.hc_mm + width}
            if conformal.is_large_error_likely(held_out, biometry.hc_mm, quality.confidence):
                doubts.append("a large error is likely")
        flag = Flag.CHECK if doubts else Flag.OK
        return cls(flag, (*doubts, *notes), spacing=spacing, biometry=biometry, **common)

    @property
    def hc_mm(self) -> float | None:
        """Head circumference, mm."""
        return self.biometry.hc_mm if self.biometry else None

    @property
    def bpd_mm(self) -> float | None:
        """Biparietal diameter, outer to outer: the short axis, mm."""
        return self.biometry.bpd_mm if self.biometry else None

    @property
    def ofd_mm(self) -> float | None:
        """Occipitofrontal diameter, outer to outer: the long axis, mm."""
        return self.biometry.ofd_mm if self.biometry else None

    def row(self) -> dict[str, Any]:
        """The columns of ``predictions.csv`` that tell of the measurement."""
        height, width = self.mask.shape
        row: dict[str, Any] = {"flag": self.flag, "reasons": list(self.reasons)}
        row |= {"width_px": width, "height_px": height, "hc_px": self.hc_px}
        row |= {"confidence": self.confidence, "head_probability": self.head_probability}
        row |= {"gestational_age_weeks": self.gestational_age_weeks}
        if self.spacing is not None:
            row |= {"pixel_size_mm": self.spacing.x_mm, "pixel_size_y_mm": self.spacing.y_mm}
            row |= {"pixel_size_source": self.spacing.source}
        if self.ellipse is not None:
            row |= {"center_x_px": self.ellipse.center_x, "center_y_px": self.ellipse.center_y}
            row |= {"semi_axis_a_px": self.ellipse.semi_axis_a, "semi_axis_b_px": self.ellipse.semi_axis_b}
            row |= {"angle_rad": self.ellipse.angle_rad}
        if (biometry := self.biometry) is None:
            return row
        row |= {"hc_mm": biometry.hc_mm, "hc_low_mm": self.hc_low_mm, "hc_high_mm": self.hc_high_mm}
        row |= {"bpd_mm": biometry.bpd_mm, "ofd_mm": biometry.ofd_mm, "area_mm2": biometry.area_mm2}
        row |= {"cephalic_index": biometry.cephalic_index_percent}
        for name in ("ga_intergrowth_weeks", "ga_hadlock_weeks"):
            weeks = getattr(biometry, name)
            row[name] = OUT_OF_RANGE if weeks is None else weeks
        return row | {"hc_z": biometry.hc_z, "hc_centile": biometry.hc_centile}


def _why_no_head(quality: Quality | None) -> str:
    if quality and quality.head_probability is not None and quality.is_another_plane:
        return f"what was found is not the plane of a head (head probability {100 * quality.head_probability:.0f} %)"
    return "no region of the image looks like a head"
