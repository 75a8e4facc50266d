import pytest

from fetal_seg.evaluation.costs import measure_costs
from tests.run_folders import write_pictured_runs


@pytest.fixture
def pictured(tmp_path):
    return write_pictured_runs(tmp_path)


def test_a_checkpoint_that_cannot_be_read_has_no_cost(pictured):
    broken, whole = (pictured / name / "checkpoints" / "best.ckpt" for name in "01")
    broken.write_bytes(b"nothing")
    assert set(measure_costs([broken, whole]).by_checkpoint) == {whole}
