"""The report of any runs, or the checklist of one; and what a sweep or a search ends with."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from fetal_seg.commands.checklist import fill_checklist
from fetal_seg.commands.command_line import as_typed, called_alike
from fetal_seg.config.commands import ReportConfig
from fetal_seg.evaluation.costs import measure_costs
from fetal_seg.evaluation.runs import Run, RunStatus, read_runs
from fetal_seg.evaluation.scoring import predict_disagreements
from fetal_seg.evaluation.study import examine
from fetal_seg.evaluation.trade_offs import TradeOff
from fetal_seg.report.study.write import write_study
from fetal_seg.report.terminal import failures_table

logger = logging.getLogger(__name__)


def run(config: ReportConfig, run_dir: Path, command_line: Sequence[str]) -> None:
    """Read run folders, rank and compare them, write the report into `run_dir`; or the checklist of one run.

    Raises:
        InputError: a folder does not exist, holds no run, or has a file that cannot be read; or a checklist is asked of
            several runs.
    """
    runs = read_runs([Path(path).expanduser() for path in config.runs])
    if config.checklist is not None:
        fill_checklist(config.checklist, runs, config.output, command_line)
        return
    again = called_alike(command_line, "report", f"runs=[{','.join(config.runs)}]")
    report_runs(run_dir, runs, title=config.title, again=[as_typed(again)])


def report_runs(
    output: Path, runs: Sequence[Run], trials: Sequence[TradeOff] = (), *, title: str, again: Sequence[str]
) -> None:
    """Measure what the runs' networks cost, predict what they disagree on, and write the report into `output`.

    Args:
        trials: of a search with several objectives.
        again: the command lines that would give these runs again.
    """
    study = examine(runs, measure_costs(run.checkpoint for run in runs if run.checkpoint.is_file()))
    contenders = [entry.contender for entry in study.entries]
    disagreements = predict_disagreements(contenders, [entry.runs[0].checkpoint for entry in study.entries])
    logger.info("report: %s", write_study(output, study, disagreements, trials, title=title, again=again))


def conclude_sweep(folder: Path) -> int:
    """Write the report of a sweep into its folder, print the jobs without a result; returns their number."""
    runs = read_runs([folder])
    command = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))["command"]
    resume = as_typed(called_alike(command, "train", f"sweep.resume={folder}"))
    missing = [run for run in runs if run.status != RunStatus.FINISHED]
    again = [as_typed(command), *([resume] if missing else [])]
    report_runs(folder, runs, title=f"Sweep {folder.name}", again=again)
    if missing:
        Console().print(failures_table(missing))
        logger.warning("%d of %d jobs have no result; again: %s", len(missing), len(runs), resume)
    return len(missing)


def conclude_search(folder: Path, command: Sequence[str], trials: Sequence[TradeOff] = ()) -> None:
    """Write the report of a search into its folder.

    Args:
        command: the command line that began it.
        trials: where it has several objectives.
    """
    report_runs(folder, read_runs([folder]), trials, title=f"Search {folder.name}", again=[as_typed(command)])
