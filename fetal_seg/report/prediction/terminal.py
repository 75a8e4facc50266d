"""The rows of a prediction for the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fetal_seg.evaluation.tables import Row, number
from fetal_seg.measurement.biometry import age_text
from fetal_seg.measurement.result import Flag
from fetal_seg.report.pictures import image_name

if TYPE_CHECKING:
    from rich.table import Table

STYLES = {Flag.OK: "green", Flag.CHECK: "yellow", Flag.NO_HEAD: "magenta", Flag.ERROR: "red"}
NONE = "–"


def terminal_table(rows: Sequence[Row], most: int = 20) -> "Table":
    """A row an image, for a terminal of 80 columns and more; the flag in colour.

    Args:
        rows: of a prediction.
        most: rows shown at most, the first ones; a line below tells how many more there are.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    more = len(rows) - most
    caption = f"and {more} more: see predictions.csv" if more > 0 else None
    table = Table(caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("\nfile", overflow="fold", min_width=12)
    for heading in ("HC mm\n± 90 %", "BPD\nmm", "OFD\nmm", "CI\n%"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("\nGA", max_width=8)
    table.add_column("\nflag and reasons", overflow="fold", min_width=16)
    for row in rows[:most]:
        style = STYLES[row["flag"]]
        table.add_row(
            Text(image_name(row)),  # not markup: names may hold brackets
            *_lengths(row),
            _age(row),
            Text.assemble((row["flag"], style), f": {'; '.join(row['reasons'])}" if row.get("reasons") else ""),
        )
    return table


def _lengths(row: Row) -> list[str]:
    """Circumference with half of its 90 % interval, BPD, OFD and cephalic index."""
    in_mm, low, high = (number(row, column) for column in ("hc_mm", "hc_low_mm", "hc_high_mm"))
    in_px = number(row, "hc_px")
    circumference = f"{in_mm:.1f}" if in_mm is not None else NONE if in_px is None else f"{in_px:.0f} px"
    if in_mm is not None and low is not None and high is not None:
        circumference += f" ±{max(in_mm - low, high - in_mm):.1f}"  # the lower half is cut at 0
    others = (number(row, column) for column in ("bpd_mm", "ofd_mm", "cephalic_index"))
    return [circumference, *(NONE if value is None else f"{value:.1f}" for value in others)]


def _age(row: Row) -> str:
    weeks = row.get("ga_intergrowth_weeks")
    return age_text(weeks) if isinstance(weeks, int | float) else weeks or NONE
