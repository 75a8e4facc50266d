import sys

import pytest

from fetal_seg.errors import InputError
from fetal_seg.evaluation.tables import PREDICTION_COLUMNS
from fetal_seg.report.prediction import tables
from tests.conftest import table

ROWS = [
    {"file": "a.png", "flag": "ok", "frame": None, "hc_mm": 170.123456789, "reasons": [], "source": "1-2"},
    {"file": "=b.avi", "flag": "check", "frame": 3, "reasons": ["odd", "cut off"], "ga_hadlock_weeks": "out of range"},
]


def test_parquet_has_the_rows_of_the_csv_with_types_and_all_digits(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(tables, "BATCH", 3)
    tables.write_tables(tmp_path, ROWS * 4, parquet=True)
    stored = parquet.read_table(tmp_path / "predictions.parquet")
    assert tuple(stored.column_names) == PREDICTION_COLUMNS
    assert stored.num_rows == len(table(tmp_path / "predictions.csv")) == 8
    first, second = stored.slice(0, 2).to_pylist()
    assert (first["hc_mm"], first["frame"], first["reasons"]) == (170.123456789, None, [])
    assert (second["file"], second["frame"], second["reasons"]) == ("=b.avi", 3, ["odd", "cut off"])
    assert second["ga_hadlock_weeks"] is None
    assert str(stored.schema.field("hc_mm").type) == "double"
    assert parquet.ParquetFile(tmp_path / "predictions.parquet").num_row_groups == 3


def test_an_empty_table_has_its_columns(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    tables.write_tables(tmp_path, [], parquet=True)
    assert tuple(parquet.read_table(tmp_path / "predictions.parquet").column_names) == PREDICTION_COLUMNS


def test_without_pyarrow_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"^format=parquet needs pyarrow, not installed here: pip install"):
        tables.write_tables(tmp_path, ROWS, parquet=True)
    assert not list(tmp_path.iterdir())
    tables.write_tables(tmp_path, ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]
