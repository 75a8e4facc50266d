"""HC18's submission file: an ellipse an image, in millimetres, as the challenge's organisers score it.

Their page fixes the columns, the unit and the meaning of the axes; half a pixel and the sign of the angle it leaves
open. This file follows most public code that writes one, code of entries to the leader board among it: whether it fits
in (row, column) and negates OpenCV's angle, or in (column, row) and adds a quarter turn, it comes to the same.

- A coordinate is the pixel's index times the pixel size, so that the centre of the first pixel is (0, 0). Measured
  from its corner everything would lie half a pixel (0.03 to 0.16 mm) further right and down.
- The angle goes from +x (right) towards +y (down), as in `Ellipse`, but is written in [0, pi).
"""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.evaluation.tables import Row, write_rows
from fetal_seg.geometry.ellipse import Ellipse

SUBMISSION_COLUMNS = ("filename", "center_x_mm", "center_y_mm", "semi_axes_a_mm", "semi_axes_b_mm", "angle_rad")
DECIMALS = 9  # of millimetres and radians: far below what any measurement knows

_ELLIPSE_KEYS = ("center_x_px", "center_y_px", "semi_axis_a_px", "semi_axis_b_px", "angle_rad")


def write_submission(path: Path, rows: Iterable[Row]) -> int:
    """Write a row an image, whole or not at all; give their number (HC18's test set has 335).

    Args:
        rows: rows of ``predictions.csv`` with numbers in full precision. A file is named without its folders.

    Raises:
        InputError: there is no row, a name has two, or a row lacks its ellipse or its pixel size: the organisers
            want every image measured, and an invented ellipse would be scored as a measurement.
    """
    rows = list(rows)
    _check(rows)
    write_rows(path, SUBMISSION_COLUMNS, (dict(zip(SUBMISSION_COLUMNS, _cells(row), strict=True)) for row in rows))
    return len(rows)


def row_ellipse(row: Row) -> Ellipse | None:
    """The ellipse of a row of ``predictions.csv``, in px; None where no head was found."""
    values = [row[key] for key in _ELLIPSE_KEYS if row.get(key) is not None]
    return Ellipse(*values) if len(values) == len(_ELLIPSE_KEYS) else None


def _check(rows: list[Row]) -> None:
    """Refuse what the organisers' system would refuse or score as a miss."""
    if not rows:
        raise InputError("a submission needs at least one image; none was predicted")
    counts = Counter(map(_name, rows))
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise InputError(
            f"a submission has one row an image, and {enumerate_names(repeated)} would have more; "
            "predict one folder of single images"
        )
    lacking = {
        "head": [_name(row) for row in rows if row_ellipse(row) is None],
        "pixel size": [_name(row) for row in rows if row.get("pixel_size_mm") is None],
    }
    problems = [f"no {what} is known for {enumerate_names(names)}" for what, names in lacking.items() if names]
    if problems:
        raise InputError(
            f"a submission needs an ellipse in millimetres for every image, but {' and '.join(problems)}; "
            "give what lacks (reject=false measures what looks like another plane too), or take images whose head can "
            "be measured; the other results are whole"
        )


def _cells(row: Row) -> list[str]:
    ellipse = row_ellipse(row)
    assert ellipse is not None  # _check
    x_mm = row["pixel_size_mm"]
    y_mm = row.get("pixel_size_y_mm")
    mm = ellipse.scaled(x_mm, x_mm if y_mm is None else y_mm)
    values = (mm.center_x, mm.center_y, mm.semi_axis_a, mm.semi_axis_b, mm.angle_rad % math.pi)
    return [_name(row), *(f"{value:.{DECIMALS}f}" for value in values)]


def _name(row: Row) -> str:
    return PurePosixPath(row["file"]).name
