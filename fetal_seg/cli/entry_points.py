"""The commands, which the scripts of the repository and the program ``fetal-seg`` share.

What a command does is imported when it is to do it: help and what is wrong with a command line wait for nothing.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import (
        EvaluateConfig,
        ExportConfig,
        PredictConfig,
        ReportConfig,
        SearchConfig,
        TrainConfig,
    )


@command("train")
def train(config: "TrainConfig", run_dir: Path, command_line: list[str]) -> None:
    """Prepare the data, train, measure the validation images with the best checkpoint."""
    from fetal_seg.commands.train import run

    run(config, run_dir, command_line)


@command("evaluate")
def evaluate(config: "EvaluateConfig", run_dir: Path, command_line: list[str]) -> None:
    """Predict the records of a part, compare them with the truth, write tables and pictures."""
    from fetal_seg.commands.evaluate import run

    run(config, run_dir, hc18_root=_hc18_root())


@command("predict")
def predict(config: "PredictConfig", run_dir: Path, command_line: list[str]) -> None:
    """Measure every image of the input; write tables, masks, pictures and a page."""
    from fetal_seg.commands.predict.command import run

    run(config, run_dir, command_line)


@command("search")
def search(config: "SearchConfig", run_dir: Path, command_line: list[str]) -> None:
    """Train trials that Optuna proposes, give up those that fall behind, report all of them."""
    from fetal_seg.cli.search import run_search

    sys.exit(run_search(config, run_dir, command_line))


@command("report")
def report(config: "ReportConfig", run_dir: Path, command_line: list[str]) -> None:
    """Read run folders, rank and compare them; or merge the rows of predictions."""
    if config.predictions:
        from fetal_seg.commands.predict.merging import run
    else:
        from fetal_seg.commands.report import run

    run(config, run_dir, command_line)


@command("export")
def export(config: "ExportConfig", run_dir: Path, command_line: list[str]) -> None:
    """Write the file, measure with it and with the checkpoint, leave it if both measure the same."""
    from fetal_seg.commands.export import run

    run(config, hc18_root=_hc18_root())


def _hc18_root() -> str:
    """Where HC18 is, unless a configuration or a checkpoint says."""
    return os.environ.get("HC18_ROOT", "data/hc18")
