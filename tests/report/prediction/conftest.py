"""What tests of a prediction's page share."""

import pytest

from fetal_seg.report.prediction.page import write_page
from fetal_seg.report.prediction.totals import Totals


@pytest.fixture
def written(tmp_path):
    """Writes the page of rows, and gives its HTML."""

    def write(rows, **more):
        about = {"checkpoint": "best.ckpt", "runtime": "PyTorch 2.14.1, float32", "command": "python predict.py"}
        write_page(tmp_path / "report.html", rows, Totals.of(rows), **(about | more))
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return write
