"""The study of a search, which any number of workers share, with its sampler and its pruner."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.storage import STUDY, TakeUp, open_storage
from fetal_seg.config.search import DICE, MILLISECONDS, SearchSettings
from fetal_seg.errors import InputError, one_line

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
FAILED = "failed"  # marks trials that failed by themselves, unlike those whose process died
TWIN = "twin"  # marks trials whose values another one has


def open_study(
    plan: SearchPlan, *, create: bool = False, take_up: TakeUp | None = None, worker: int = 0
) -> optuna.Study:
    """The study of a search, with the sampler and the pruner of its settings; `create` where there is none.

    Raises:
        InputError: its storage cannot be reached, is damaged, or does not have it.
    """
    settings = plan.settings
    was_begun = any(entry.name.isdecimal() for entry in plan.folder.iterdir())  # before others can begin
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # why a trial failed is logged by us
    make = optuna.create_study if create else optuna.load_study
    directions = [DIRECTIONS[objective] for objective in settings.objectives]
    options: dict[str, Any] = {"directions": directions, "load_if_exists": True} if create else {}
    try:
        storage = open_storage(plan.folder, settings, take_up)
        study = make(study_name=plan.study, storage=storage, pruner=PRUNERS[settings.pruner](settings), **options)
        study.sampler = next_sampler(plan, study, worker)
        if settings.storage and was_begun and not study.get_trials(deepcopy=False):
            raise InputError(
                f"search.storage={settings.storage} does not hold the study of {plan.folder}; give the one that it was "
                "begun with, or another output"
            )
    except InputError:
        raise
    except Exception as error:  # damage makes SQLAlchemy raise whatever comes
        place = settings.storage or plan.folder / STUDY
        remedy = "give another storage and another output" if settings.storage else "give another output"
        raise InputError(f"{place} is damaged ({one_line(error)}); {remedy}") from error
    return study


DIRECTIONS = {DICE: "maximize", MILLISECONDS: "minimize"}
PRUNERS: dict[str, Callable[[SearchSettings], optuna.pruners.BasePruner]] = {
    "median": lambda settings: optuna.pruners.MedianPruner(settings.startup_trials),
    "percentile": lambda settings: optuna.pruners.PercentilePruner(25.0, settings.startup_trials),
    "hyperband": lambda _: optuna.pruners.HyperbandPruner(),
    "successive_halving": lambda _: optuna.pruners.SuccessiveHalvingPruner(),
    "none": lambda _: optuna.pruners.NopPruner(),
}
SAMPLERS: dict[str, Callable[[SearchSettings, int | None], optuna.samplers.BaseSampler]] = {
    "tpe": lambda settings, seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=settings.startup_trials),
    "random": lambda _, seed: optuna.samplers.RandomSampler(seed),
    "gp": lambda settings, seed: optuna.samplers.GPSampler(seed=seed, n_startup_trials=settings.startup_trials),
    "cmaes": lambda settings, seed: optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=settings.startup_trials),
}


def next_sampler(plan: SearchPlan, study: optuna.Study, worker: int = 0) -> optuna.samplers.BaseSampler:
    """What proposes the next trial; where any number of workers may join, each draws its own random numbers."""
    seed = None
    if plan.settings.storage is None:
        seed = int(np.random.default_rng([plan.seed + worker, ended_trials(study)]).integers(2**32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # gp
        return SAMPLERS[plan.settings.sampler](plan.settings, seed)


def has_ended(trial: FrozenTrial) -> bool:
    """Whether a trial need not be made again: failed ones, too, would fail again."""
    return (
        trial.state in ENDED or FAILED in trial.user_attrs or (trial.state.is_finished() and TWIN in trial.user_attrs)
    )


def ended_trials(study: optuna.Study) -> int:
    """How many trials need not be made again."""
    return sum(map(has_ended, study.get_trials(deepcopy=False)))


def is_open(trial: FrozenTrial) -> bool:
    """Whether a trial runs, or waits for a worker."""
    return trial.state in (TrialState.RUNNING, TrialState.WAITING)
