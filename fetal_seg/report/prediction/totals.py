"""What is told of all rows of a prediction, counted as they pass by."""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from fetal_seg.errors import enumerate_names
from fetal_seg.evaluation.tables import Row, finite_value
from fetal_seg.measurement.result import Flag

NAMED = 5  # files that a message names at most


@dataclass
class Totals:
    """How many rows there are of each kind.

    Attributes:
        flags: rows by flag.
        doubts: how often each reason to check an image was given, without what is in brackets.
        hc_mm: all circumferences, mm.
        in_pixels: rows whose head was measured in pixels alone, since no pixel size is known.
        unscaled: the files of these, and the first of their names.
        first_unscaled: the names of the first of them.
    """

    flags: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    hc_mm: "array[float]" = field(default_factory=lambda: array("d"))
    in_pixels: int = 0
    unscaled: int = 0
    first_unscaled: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """The totals of rows of which those of a file follow one another."""
        totals, last = cls(), None
        for row in rows:
            totals.flags[row["flag"]] += 1
            if row["flag"] == Flag.CHECK:
                totals.doubts.update(reason.partition(" (")[0] for reason in row.get("reasons") or [])
            if (in_mm := finite_value(row, "hc_mm")) is not None:
                totals.hc_mm.append(in_mm)
            elif finite_value(row, "hc_px") is not None:
                totals.in_pixels += 1
                if row["file"] != last:
                    totals._add_unscaled(last := row["file"])
        return totals

    @property
    def count(self) -> int:
        """All rows."""
        return self.flags.total()

    @property
    def sentence(self) -> str:
        """``24 images: 20 measured, ...``."""
        of = self.flags
        return (
            f"{self.count} image{'' if self.count == 1 else 's'}: {of[Flag.OK]} measured, {of[Flag.CHECK]} measured "
            f"but to be checked, {of[Flag.NO_HEAD]} without a head, {of[Flag.ERROR]} unreadable"
        )

    @property
    def unscaled_names(self) -> str:
        """The files without a pixel size, as a phrase: the first few and how many more."""
        names = enumerate_names(self.first_unscaled, most=NAMED)
        return names if self.unscaled <= NAMED else f"{names} and {self.unscaled - NAMED} more"

    @property
    def circumferences(self) -> str | None:
        """Median and ends of the circumferences in mm, as a sentence; None for fewer than two."""
        if len(self.hc_mm) < 2:
            return None
        values = np.frombuffer(self.hc_mm, np.float64)
        return (
            f"Head circumference (HC) of {len(values)} images: median {np.median(values):.1f} mm, "
            f"{values.min():.1f} to {values.max():.1f} mm."
        )

    def _add_unscaled(self, file: str) -> None:
        self.unscaled += 1
        if len(self.first_unscaled) < NAMED:
            self.first_unscaled.append(file)
