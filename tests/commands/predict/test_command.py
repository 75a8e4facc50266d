import json
import sys

import numpy as np
from PIL import Image

from fetal_seg.commands.predict.command import run
from fetal_seg.config.commands import PredictConfig


def test_a_prediction_without_a_command_line(good, tmp_path, monkeypatch):
    """The page shows the command that is handed down, whatever the process was called with."""
    monkeypatch.setattr(sys, "argv", ["host"])
    noise = np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    config = PredictConfig(ckpt=str(good), input=str(tmp_path / "a.png"), cache_dir=str(tmp_path / "cache"))
    run(config, tmp_path / "out", "python predict.py input=a.png")
    assert "python predict.py input=a.png" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    settings = json.loads((tmp_path / "out" / "settings.json").read_text(encoding="utf-8"))
    assert settings["ckpt"] == ["best.ckpt"]
    assert settings["every"] == 1
