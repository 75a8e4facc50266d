"""Compare any runs: ``python report.py runs=[outputs/sweep/A,outputs/train/B]`` writes report.html and summary.csv."""

from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import ReportConfig


@command("report")
def report(config: "ReportConfig", run_dir: Path, command_line: list[str]) -> None:
    """Read run folders, rank and compare them."""
    from fetal_seg.commands.report import run

    run(config, run_dir)


if __name__ == "__main__":
    report()
