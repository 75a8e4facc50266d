"""One trial of a search: what is proposed for it, its training, its outcome."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from fetal_seg.cli.dead_trials import FOLDER, folder_of, put_back
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.study import ENDED, FAILED, TWIN, has_ended, is_open
from fetal_seg.cli.sweep import FAILURE, record_failure
from fetal_seg.config.search import RangeConfig
from fetal_seg.errors import DivergedError, Interrupted
from fetal_seg.files import LOCK
from fetal_seg.progress import ReportEpoch

Train = Callable[[list[str], Path, ReportEpoch], bool]

NETWORK = "network"  # how the network of a trial is built, where its time is an objective
STORAGE_ERRORS = (SQLAlchemyError, StorageInternalError)  # the database is gone

logger = logging.getLogger(__name__)


class FailedTrialError(Exception):
    """A trial's training failed; the others go on. Anything else that goes wrong ends the search."""


class NeedlessTrialError(Exception):
    """A trial that need not be made: another worker trains the same, or the last that was missing."""


class LostTrialError(Exception):
    """A trial was taken for dead, and given to another worker."""


def run_trial(trial: Trial, plan: SearchPlan, train: Train) -> Sequence[float]:
    """What a trial gives in each objective: its highest validation Dice, and the milliseconds of its network.

    Args:
        train: trains with given overrides in a run folder and reports each epoch; gives whether it came to its end.

    Raises:
        TrialPruned: it fell behind, or diverged.
        FailedTrialError: its training failed.
        NeedlessTrialError: another worker does what is to be done.
        LostTrialError: another worker has it now.
    """
    try:
        values = {key: propose(trial, key, allowed) for key, allowed in plan.space.items()}
        _check_needed(trial, plan)
        twin = _twin(trial)
        if twin is not None:
            return _as_before(trial, twin)
        run_dir = folder_of(trial, plan.folder)
        run_dir.mkdir(exist_ok=True)
        with FileLock(run_dir / LOCK):
            return _trained(trial, plan, values, run_dir, train)
    except UpdateFinishedTrialError as error:
        logger.warning("trial %d was silent for too long; another worker goes on with it", trial.number)
        raise LostTrialError from error


def _trained(trial: Trial, plan: SearchPlan, values: dict[str, Any], run_dir: Path, train: Train) -> Sequence[float]:
    try:
        (run_dir / FAILURE).unlink(missing_ok=True)
        dice = _highest_dice(trial, plan, values, run_dir, train)
        return [dice, milliseconds_of(trial, run_dir)] if plan.settings.has_several_objectives else [dice]
    except (optuna.TrialPruned, UpdateFinishedTrialError, *STORAGE_ERRORS):
        raise
    except DivergedError as error:
        logger.info("trial %s: %s", run_dir.name, error)
        raise optuna.TrialPruned from error
    except Interrupted:  # whoever else is at work need not wait until the silence is noticed
        put_back(plan, trial.study, trial.study.trials[trial.number], died=False)
        trial.study.tell(trial.number, state=TrialState.FAIL)
        raise
    except Exception as error:
        record_failure(run_dir, error)
        trial.set_user_attr(FAILED, True)
        raise FailedTrialError from error


def _highest_dice(trial: Trial, plan: SearchPlan, values: dict[str, Any], run_dir: Path, train: Train) -> float:
    dice: list[float] = []

    def report_epoch(epoch: int, value: float) -> bool:
        dice.append(value)
        if plan.settings.has_several_objectives:  # Optuna prunes by one alone
            return False
        trial.report(value, epoch)
        return trial.should_prune()

    ended = train([*plan.overrides, *(f"{key}={value}" for key, value in values.items())], run_dir, report_epoch)
    outcome = "val/dice" if ended else "pruned at val/dice"
    logger.info("trial %s (%s): %s %.4f", run_dir.name, ", ".join(map(str, values.values())), outcome, max(dice))
    if not ended:
        raise optuna.TrialPruned
    return max(dice)


def milliseconds_of(trial: Trial, run_dir: Path) -> float:
    """The time of a trial's network for an image: networks that are built alike have that of the first of them."""
    from fetal_seg.evaluation.costs import measure_costs, network_kind

    checkpoint = run_dir / "checkpoints" / "best.ckpt"
    kind = network_kind(checkpoint)
    trial.set_user_attr(NETWORK, kind)
    complete = trial.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    known = [other.values[1] for other in complete if other.user_attrs.get(NETWORK) == kind]
    return float(known[0]) if known else measure_costs([checkpoint]).by_checkpoint[checkpoint].milliseconds


def propose(trial: Trial, key: str, allowed: Sequence[Any] | RangeConfig) -> Any:
    """The value of a key, of those allowed."""
    if not isinstance(allowed, RangeConfig):
        return trial.suggest_categorical(key, list(allowed))
    if isinstance(allowed.low, int) and isinstance(allowed.high, int):
        return trial.suggest_int(key, allowed.low, allowed.high, log=allowed.log)
    return trial.suggest_float(key, allowed.low, allowed.high, log=allowed.log)


def _twin(trial: Trial) -> FrozenTrial | None:
    """A trial of the same values that has ended."""
    ended = trial.study.get_trials(deepcopy=False, states=ENDED)
    return next((other for other in ended if other.params == trial.params), None)


def _as_before(trial: Trial, twin: FrozenTrial) -> Sequence[float]:
    trial.set_user_attr(TWIN, twin.number)
    if twin.state == TrialState.PRUNED or twin.values is None:
        raise optuna.TrialPruned
    return list(map(float, twin.values))


def _check_needed(trial: Trial, plan: SearchPlan) -> None:
    """See that there are not enough trials without this one, and that no worker has begun the same."""
    if FOLDER in trial.user_attrs:  # goes on with one that was needed
        return
    earlier = [other for other in trial.study.get_trials(deepcopy=False) if other.number < trial.number]
    if sum(has_ended(other) or is_open(other) for other in earlier) >= plan.settings.trials:
        raise NeedlessTrialError
    running = [other for other in earlier if other.state == TrialState.RUNNING and other.params == trial.params]
    if running:
        trial.set_user_attr(TWIN, running[0].number)
        raise NeedlessTrialError
