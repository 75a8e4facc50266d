import json

import pytest
import torch

from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import table


def test_run_json(trained):
    run = json.loads((trained / "run.json").read_text())
    assert run["status"] == "finished"
    assert run["seed"] == 0
    assert run["versions"]["torch"] == torch.__version__.split("+")[0]
    assert set(run["git"]) == {"commit", "dirty"}
    assert run["wall_time_s"] > 0
    assert run["peak_memory_mib"] > 100
    assert run["precision_reason"]
    assert [used["name"].split(",")[0] for used in run["runtime"]] == [f"PyTorch {run['versions']['torch']}"]
    assert run["metrics"]["val/dice"] == pytest.approx(float(table(trained / "metrics.csv")[-1]["val/dice"]), abs=1e-6)
    assert run["data_fingerprint"] == read_checkpoint(trained / "checkpoints/best.ckpt").description.data.fingerprint
