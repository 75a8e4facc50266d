"""Whether two ways to run one network measure the same: image by image, circumferences, overlap and flags."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fetal_seg.config.types import ExportPrecision
from fetal_seg.evaluation.tables import Row, write_rows
from fetal_seg.measurement.result import Flag

MOST_PERCENT: dict[ExportPrecision, float] = {"f32": 0.01, "f16": 0.1, "int8": 0.3}  # of a circumference, by default
WARM_UP = 2  # images that are not timed


@dataclass(frozen=True)
class Measured:
    """What one way makes of an image.

    Attributes:
        hc_px: circumference; None where nothing was found.
        hc_mm: the same in millimetres; None where the pixel size is not known as well.
        dice: of the ellipse and the true one, 0 to 1; None where no head is shown.
        milliseconds: from the grey image to the measurement.
    """

    hc_px: float | None
    hc_mm: float | None
    dice: float | None
    flag: Flag
    milliseconds: float


@dataclass(frozen=True)
class Pair:
    """Both ways on one image."""

    file: str
    reference: Measured
    other: Measured

    @property
    def difference_percent(self) -> float:
        """Of the circumferences, without sign; infinite where one way alone finds a head, 0 where neither does."""
        ours, theirs = self.reference.hc_px, self.other.hc_px
        if ours is None or theirs is None:
            return 0.0 if ours is theirs else float("inf")
        return 100 * abs(theirs / ours - 1)

    @property
    def row(self) -> Row:
        """Both, with the difference; columns of the reference end in ``_reference``."""
        row: Row = {"file": self.file, "hc_difference_percent": self.difference_percent}
        for measured, suffix in ((self.reference, "_reference"), (self.other, "")):
            row |= {f"{key}{suffix}": value for key, value in asdict(measured).items()}
        return row


@dataclass(frozen=True)
class Parity:
    """Both ways on all images; differences are without sign.

    Attributes:
        percent, mm, dice: largest and mean difference; of millimetres and Dice None where they are not known.
        flags: how many images have other flags.
        milliseconds: medians of an image, of the reference and of the other way.
    """

    pairs: tuple[Pair, ...]
    percent: tuple[float, float]
    mm: tuple[float, float] | None
    dice: tuple[float, float] | None
    flags: int
    milliseconds: tuple[float, float]

    @classmethod
    def of(cls, pairs: tuple[Pair, ...]) -> "Parity":
        """What these images, at least one, show."""
        percent = [pair.difference_percent for pair in pairs]
        mm = _differences([(pair.reference.hc_mm, pair.other.hc_mm) for pair in pairs])
        dice = _differences([(pair.reference.dice, pair.other.dice) for pair in pairs])
        timed = pairs[WARM_UP:] or pairs
        return cls(
            pairs,
            (max(percent), float(np.mean(percent))),
            mm,
            dice,
            sum(pair.reference.flag != pair.other.flag for pair in pairs),
            (
                float(np.median([pair.reference.milliseconds for pair in timed])),
                float(np.median([pair.other.milliseconds for pair in timed])),
            ),
        )

    @property
    def worst(self) -> Pair:
        """The image with the largest difference of circumferences."""
        return max(self.pairs, key=lambda pair: pair.difference_percent)


def write_parity(path: Path, parity: Parity) -> None:
    """Write a row for each image."""
    rows = [pair.row for pair in parity.pairs]
    write_rows(path, list(rows[0]), rows)


def _differences(values: Sequence[tuple[float | None, float | None]]) -> tuple[float, float] | None:
    """Largest and mean, of those that are known both ways; None where none is."""
    known = [abs(second - first) for first, second in values if first is not None and second is not None]
    return (max(known), float(np.mean(known))) if known else None
