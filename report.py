"""Compare any runs: ``python report.py runs=[outputs/sweep/A,outputs/train/B]`` writes report.html and summary.csv."""

import logging
from pathlib import Path

from fetal_seg.cli.app import command
from fetal_seg.config.commands import ReportConfig

logger = logging.getLogger("report")


@command("report", ReportConfig)
def report(config: ReportConfig, run_dir: Path, command_line: list[str]) -> None:
    """Read run folders, rank and compare them."""
    from fetal_seg.evaluation.runs import read_runs
    from fetal_seg.report.study.write import write_report

    runs = read_runs([Path(path).expanduser() for path in config.runs])
    again = [f"python report.py 'runs=[{','.join(config.runs)}]'"]
    page = write_report(run_dir, runs, title=config.title, again=again)
    logger.info("report: %s", page)


if __name__ == "__main__":
    report()
