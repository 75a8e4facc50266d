"""The tables of a prediction: CSV for all programs, and Parquet, typed and compressed, for those that read millions.

The package pyarrow writes Parquet. It comes with the extra ``parquet`` and is imported only when something is written.
"""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetal_seg.config.extras import check_installed
from fetal_seg.evaluation.tables import PREDICTION_COLUMNS, Row, write_rows
from fetal_seg.files import whole_file

if TYPE_CHECKING:
    import pyarrow

CSV, PARQUET = "predictions.csv", "predictions.parquet"
BATCH = 10_000  # rows of a group of the Parquet file, and in memory at once
OF_RESUME = "source"  # the column that is of use to a resumed run alone
TEXTS = ("file", "flag", "pixel_size_source", "mask", "overlay")
COUNTS = ("frame", "width_px", "height_px")
LISTS = ("reasons",)


def write_tables(folder: Path, rows: Iterable[Row], *, parquet: bool = False) -> None:
    """Write ``predictions.csv``, and ``predictions.parquet`` if it is wanted, each whole or not at all.

    Args:
        rows: are read once for each table.

    Raises:
        InputError: pyarrow is missing.
    """
    if parquet:
        check_parquet()
    documented = ({column: value for column, value in row.items() if column != OF_RESUME} for row in rows)
    write_rows(folder / CSV, PREDICTION_COLUMNS, documented)
    if parquet:
        write_parquet(folder / PARQUET, rows)


def check_parquet() -> None:
    """See that Parquet can be written.

    Raises:
        InputError: it cannot.
    """
    check_installed("format=parquet", ("pyarrow",), "parquet")


def write_parquet(path: Path, rows: Iterable[Row]) -> None:
    """Write rows under `PREDICTION_COLUMNS`: text, 32-bit counts, lists of reasons, and 64-bit numbers.

    What is not known is null, and so is an age that is out of its formula's range. Numbers have their full precision.
    """
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = pyarrow.schema([(column, _type(column)) for column in PREDICTION_COLUMNS])
    with whole_file(path) as temporary, ParquetWriter(temporary, schema, compression="zstd") as writer:
        left = iter(rows)
        while batch := list(itertools.islice(left, BATCH)):
            columns = {field.name: [_value(row, field.name) for row in batch] for field in schema}
            writer.write_table(pyarrow.table(columns, schema))


def _type(column: str) -> "pyarrow.DataType":
    import pyarrow

    if column in TEXTS:
        return pyarrow.string()
    if column in LISTS:
        return pyarrow.list_(pyarrow.string())
    return pyarrow.int32() if column in COUNTS else pyarrow.float64()


def _value(row: Row, column: str) -> Any:
    value = row.get(column)
    if column in LISTS:
        return list(value or [])
    return None if isinstance(value, str) and column not in TEXTS else value
