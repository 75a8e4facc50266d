"""The reporting checklist of a run, filled from what its folder holds."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

from fetal_seg.commands.command_line import as_typed, called_alike
from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.evaluation.runs import Run
from fetal_seg.files import check_writable
from fetal_seg.models.building import count_parameters
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.report.checklist.records import Weights, read_records
from fetal_seg.report.checklist.write import CHECKLISTS, write_checklist

logger = logging.getLogger(__name__)


def fill_checklist(name: str, runs: Sequence[Run], output: str | None, command_line: Sequence[str]) -> None:
    """Write a checklist as Markdown and HTML into the run's folder, or into `output`.

    Args:
        name: of the checklist, one of `CHECKLISTS`.
        runs: the run.
        command_line: of this command, by which others are spelled.

    Raises:
        InputError: there are several runs, the folder cannot be written, or a record is damaged.
    """
    if len(runs) != 1:
        names = enumerate_names([str(run.folder) for run in runs])
        raise InputError(f"checklist={name} is of one run, here are {len(runs)}: {names}; give one of them")
    (run,) = runs
    folder = Path(output).expanduser() if output else run.folder
    try:
        check_writable(folder)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); give another folder by output="
        ) from error
    begun = run.record.get("command") or []

    def typed(of: str, *arguments: str) -> str:
        return as_typed(called_alike(command_line, of, *arguments))

    records = read_records(
        run, read_facts(run), command=as_typed(begun) if begun else "", again=as_typed(command_line), typed=typed
    )
    files = write_checklist(folder, CHECKLISTS[name], records)
    logger.info("checklist: %s", ", ".join(map(str, files)))


def read_facts(run: Run) -> Weights | None:
    """What the checkpoint that a run is judged by says of itself; None where there is none.

    Raises:
        InputError: it cannot be used.
    """
    file = run.checkpoint
    if not file.is_file():
        return None
    checkpoint = read_checkpoint(file)
    description, calibration = checkpoint.description, checkpoint.description.calibration
    size, gate = description.preprocessing, calibration.gate if calibration else None
    return Weights(
        file=file.relative_to(run.folder).as_posix(),
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        size_mb=file.stat().st_size / 1e6,
        parameters=count_parameters(checkpoint.build_network()),
        height=size.height,
        width=size.width,
        mean=size.mean,
        std=size.std,
        calibrated=len(calibration.interval.scores) if calibration and calibration.interval else None,
        gate=(gate.heads, gate.others) if gate else None,
    )
