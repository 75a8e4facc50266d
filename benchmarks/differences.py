"""What a folder of results has otherwise than another that should be the same, in words."""

from collections.abc import Iterator
from pathlib import Path

import optuna
import torch

from fetal_seg.cli.study import ENDED
from fetal_seg.files import read_csv

TIMES = {"seconds", "minutes", "ms_per_image"}  # columns that may differ


def of_trainings(whole: Path, found: Path) -> Iterator[str]:
    """Differences of two runs: of their checkpoints' weights, both averaged and not, and of their epochs."""
    for name in ("last.ckpt", "best.ckpt"):
        one, other = (torch.load(run / "checkpoints" / name, weights_only=True) for run in (whole, found))
        for state in ("state_dict", "current_model_state"):
            names = sorted(one[state].keys() | other[state].keys())
            absent = torch.empty(0)
            different = [
                key for key in names if not torch.equal(one[state].get(key, absent), other[state].get(key, absent))
            ]
            if different:
                yield f"{found.name}/{name}: {len(different)} of {len(names)} tensors of {state}, first {different[0]}"
    yield from _of_tables(whole / "metrics.csv", found / "metrics.csv")


def of_predictions(whole: Path, found: Path) -> Iterator[str]:
    """Differences of two folders of predictions."""
    masks = sorted({path.relative_to(run) for run in (whole, found) for path in run.glob("masks/**/[!.]*.png")})
    for name in (Path("predictions.csv"), Path("predictions.jsonl"), *masks):
        if (whole / name).read_bytes() != (found / name).read_bytes():
            yield f"{name} differs"


def of_sweeps(whole: Path, found: Path) -> Iterator[str]:
    """Differences of two sweeps, job by job, and of their tables."""
    for job in sorted(path.name for path in whole.iterdir() if path.name.isdecimal()):
        yield from of_trainings(whole / job, found / job)
    yield from _of_tables(whole / "summary.csv", found / "summary.csv")


def of_searches(whole: Path, found: Path) -> Iterator[str]:
    """Differences of two searches' trials that ended."""
    one, other = (
        [
            (trial.params, trial.state.name, trial.value, trial.intermediate_values)
            for trial in optuna.load_study(study_name="search", storage=f"sqlite:///{folder / 'study.db'}").trials
            if trial.state in ENDED
        ]
        for folder in (whole, found)
    )
    if one != other:
        yield f"trials {other} instead of {one}"


def left_over(folder: Path) -> Iterator[str]:
    """Temporary files of commands that were killed."""
    yield from (f"{path.relative_to(folder)} is left" for path in sorted(folder.rglob(".*-????????.*")))


def _of_tables(whole: Path, found: Path) -> Iterator[str]:
    one, other = (
        [{column: value for column, value in row.items() if column not in TIMES} for row in read_csv(file)]
        for file in (whole, found)
    )
    if one != other:
        yield f"{found.parent.name}/{found.name}: {other} instead of {one}"
