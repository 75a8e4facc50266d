"""The study of a search: an SQLite file in its folder, which any number of workers share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from fetal_seg.config.commands import SearchSettings
from fetal_seg.errors import InputError, one_line

STUDY = "study.db"
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
FAILED = "failed"  # marks trials that failed by themselves, unlike those whose process died


def open_study(folder: Path, seed: int, settings: SearchSettings, *, create: bool = False) -> optuna.Study:
    """The study of a search's folder, with the sampler and the pruner of its settings; `create` where there is none.

    Raises:
        InputError: its file is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{folder.resolve() / STUDY}"
    pruners: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
        "median": lambda: optuna.pruners.MedianPruner(settings.startup_trials),
        "hyperband": optuna.pruners.HyperbandPruner,
        "none": optuna.pruners.NopPruner,
    }
    make = optuna.create_study if create else optuna.load_study
    options: dict[str, Any] = {"direction": "maximize", "load_if_exists": True} if create else {}
    try:
        study = make(study_name="search", storage=storage, pruner=pruners[settings.pruner](), **options)
        study.sampler = next_sampler(seed, settings, study)
    except Exception as error:  # damage makes SQLAlchemy raise whatever comes
        raise InputError(f"{folder / STUDY} is damaged ({one_line(error)}); give another output") from error
    return study


def next_sampler(seed: int, settings: SearchSettings, study: optuna.Study) -> optuna.samplers.BaseSampler:
    """What proposes the next trial."""
    of_trial = int(np.random.default_rng([seed, ended_trials(study)]).integers(2**32))
    return optuna.samplers.TPESampler(seed=of_trial, n_startup_trials=settings.startup_trials)


def ended_trials(study: optuna.Study) -> int:
    """Trials that need not be made again: failed ones, too, would fail again."""
    trials = study.get_trials(deepcopy=False)
    return sum(trial.state in ENDED or FAILED in trial.user_attrs for trial in trials)
