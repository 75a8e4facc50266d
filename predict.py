"""Segment and measure heads: ``python predict.py input=FILE_OR_FOLDER [ckpt=RUN/checkpoints/best.ckpt]``."""

from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import PredictConfig


@command("predict")
def predict(config: "PredictConfig", run_dir: Path, command_line: list[str]) -> None:
    """Measure every image of the input; write tables, masks, pictures and a page."""
    from fetal_seg.commands.predict.command import run

    run(config, run_dir, command_line)


if __name__ == "__main__":
    predict()
