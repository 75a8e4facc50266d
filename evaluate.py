"""Measure checkpoints on images whose truth is known: ``python evaluate.py ckpt=RUN/checkpoints/best.ckpt``.

Several, ``ckpt=[A,B,...]``, are compared image by image.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import EvaluateConfig


@command("evaluate")
def evaluate(config: "EvaluateConfig", run_dir: Path, command_line: list[str]) -> None:
    """Predict the records of a part, compare them with the truth, write tables and pictures."""
    from fetal_seg.commands.evaluate import run

    run(config, run_dir, hc18_root=os.environ.get("HC18_ROOT", "data/hc18"))


if __name__ == "__main__":
    evaluate()
