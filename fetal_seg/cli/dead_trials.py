"""Trials whose worker died: they go back into the queue with their folder, in which another worker goes on.

In a database a worker is dead when its heartbeat stays out. Elsewhere there is none: there the lock of the trial's
folder tells, which the kernel, or the server of the shared folder, lets go when its holder dies.
"""

import contextlib
import logging
import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, Trial, TrialState

from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.storage import TakeUp
from fetal_seg.cli.study import has_ended
from fetal_seg.files import LOCK

FOLDER = "folder"  # of a trial that goes on where another one was cut off
TAKEN_UP = "taken_up"  # how often
MOST = 10  # times that a trial may cost its worker the life

logger = logging.getLogger(__name__)


def folder_of(trial: FrozenTrial | Trial, folder: Path) -> Path:
    """The run folder of a trial, in the folder of the search."""
    return folder / str(trial.user_attrs.get(FOLDER, trial.number))


def taking_up(plan: SearchPlan) -> TakeUp:
    """What Optuna does with a trial whose heartbeat stayed out."""
    return partial(put_back, plan)


def put_back(plan: SearchPlan, study: optuna.Study, trial: FrozenTrial, *, died: bool = True) -> None:
    """Put a trial that was cut off in the queue again, with its run folder to go on in.

    One that was cut off before all was proposed for it has trained nothing, and is left out.
    """
    run_dir = folder_of(trial, plan.folder)
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}  # what it had from the queue
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if params.keys() != plan.space.keys() or run_dir in {folder_of(other, plan.folder) for other in waiting}:
        return
    times = trial.user_attrs.get(TAKEN_UP, 0) + died
    if times > MOST:
        logger.warning("trial %s was cut off %d times; it is left out", run_dir.name, times)
        return
    logger.info("trial %s was cut off; it goes on with the next worker", run_dir.name)
    study.enqueue_trial(params, user_attrs={FOLDER: run_dir.name, TAKEN_UP: times})


def take_up_dead(plan: SearchPlan, study: optuna.Study, silent_s: float) -> None:
    """Put trials back whose worker is dead.

    Args:
        silent_s: seconds that a trial must have run before it can be one of them: its worker may have no lock yet.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        has_trained = trial.params.keys() == plan.space.keys()
        began = trial.datetime_start or datetime.min
        if (datetime.now() - began).total_seconds() < silent_s or (has_trained and plan.settings.is_in_database):
            continue
        run_dir = folder_of(trial, plan.folder)
        run_dir.mkdir(exist_ok=True)
        with contextlib.suppress(Timeout), FileLock(run_dir / LOCK, timeout=0):
            if trial.number in _running(study):  # no other has done it meanwhile
                put_back(plan, study, trial)
                study.tell(trial.number, state=TrialState.FAIL)


def count_falling(plan: SearchPlan, trials: Sequence[FrozenTrial]) -> int:
    """How many trials were just taken from a dead worker, and are not in the queue yet: others need not replace them.

    In a database a trial fails first and is put back then, by a worker that may die between the two.
    """
    if not plan.settings.is_in_database:
        return 0
    newest = {folder_of(trial, plan.folder): trial for trial in trials}.values()
    since = datetime.now() - timedelta(seconds=plan.settings.grace_s)
    return sum(
        trial.state == TrialState.FAIL
        and not has_ended(trial)
        and trial.params.keys() == plan.space.keys()
        and (trial.datetime_complete or datetime.min) > since
        for trial in newest
    )


def _running(study: optuna.Study) -> set[int]:
    return {trial.number for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))}
