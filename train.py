"""Train a network: ``python train.py [group=choice ...] [key=value ...]``; ``--help`` lists them."""

from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import TrainConfig


@command("train")
def train(config: "TrainConfig", run_dir: Path, command_line: list[str]) -> None:
    """Prepare the data, train, measure the validation images with the best checkpoint."""
    from fetal_seg.commands.train import run

    run(config, run_dir, command_line)


if __name__ == "__main__":
    train()
