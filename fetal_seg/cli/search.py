"""A search that prunes: Optuna proposes overrides, sees each epoch's validation Dice, prunes what falls behind.

Any number of workers share the study, on any number of machines that see the search's folder; a trial has a run folder
there, named by its number. Training is a function of its configuration, so no configuration is trained twice. Where the
study is a file, the sampler's random numbers are a function of the seed and of how many trials have ended: a search by
one worker that was killed goes on to the same trials, unless hyperband, which goes by their numbers, prunes them.
"""

import logging
import multiprocessing
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import optuna
from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from optuna.trial import FrozenTrial, TrialState

from fetal_seg.cli.composing import compose_run
from fetal_seg.cli.dead_trials import count_falling, folder_of, take_up_dead, taking_up
from fetal_seg.cli.orphans import end_with_parent
from fetal_seg.cli.overrides import SEARCHPATH
from fetal_seg.cli.quiet import quiet_libraries
from fetal_seg.cli.search_plan import SearchPlan, Space, agreed_study
from fetal_seg.cli.signals import how_to_go_on
from fetal_seg.cli.storage import open_storage
from fetal_seg.cli.study import ENDED, FAILED, TWIN, ended_trials, has_ended, is_open, next_sampler, open_study
from fetal_seg.cli.trial import STORAGE_ERRORS, FailedTrialError, LostTrialError, NeedlessTrialError, Train, run_trial
from fetal_seg.commands import train as train_command
from fetal_seg.commands.command_line import called_alike
from fetal_seg.config.commands import SearchConfig
from fetal_seg.config.search import RangeConfig
from fetal_seg.errors import InputError, Interrupted, one_line
from fetal_seg.evaluation.trade_offs import TradeOff
from fetal_seg.progress import ReportEpoch

REPORTED = "reported"  # how many trials had ended when the report was written
LOOK_EVERY_S = 5.0  # at most, while there is nothing to begin

logger = logging.getLogger(__name__)


def run_search(config: SearchConfig, folder: Path, command_line: Sequence[str]) -> int:
    """Run the search of a configuration in a folder, go on with the one there, or join it; returns the exit status.

    Raises:
        InputError: there is nothing to search, the folder is of another search, or its storage cannot be used.
    """
    plan = _plan(config, folder)
    study = open_study(plan, create=True)
    if plan.settings.storage is None:  # who else works here has the lock of the trial's folder
        take_up_dead(plan, study, silent_s=0)
    from joblib import Parallel, delayed

    if plan.settings.has_several_objectives and plan.settings.pruner != "none":
        logger.info("with several objectives nothing is pruned: Optuna's pruners go by one")
    logger.info("search in %s: %d of %d trials done", folder, ended_trials(study), plan.settings.trials)
    interrupted = 0
    workers = min(plan.settings.workers, _to_do(plan, study))
    try:
        Parallel(n_jobs=workers or 1, backend="loky")(
            delayed(work)(plan, partial(_train, command_line), worker) for worker in range(workers)
        )
    except KeyboardInterrupt:
        interrupted = 128 + signal.SIGINT
    except Interrupted as signalled:
        interrupted = signalled.status
    _log_best(study, plan)
    _report(plan, study, command_line)
    if interrupted:
        logger.info(how_to_go_on("search", command_line, folder))
    failed = [trial for trial in study.get_trials(deepcopy=False) if FAILED in trial.user_attrs]
    return interrupted or int(ended_trials(study) < plan.settings.trials or bool(failed))


def _to_do(plan: SearchPlan, study: optuna.Study) -> int:
    """How many trials have not ended, or wait to be ended whatever others came to."""
    trials = study.get_trials(deepcopy=False)
    waiting = sum(trial.state == TrialState.WAITING for trial in trials)
    return max(plan.settings.trials - sum(map(has_ended, trials)), waiting)


def _plan(config: SearchConfig, folder: Path) -> SearchPlan:
    settings = config.search
    overrides = _trial_overrides()
    fixed = {text.lstrip("+").split("=")[0] for text in overrides}
    space = {key: values for key, values in (settings.space or config.sweep.grid).items() if key not in fixed}
    if not space:
        raise InputError("there is nothing to search; set search.space={KEY: [..]}, or take experiment=ablation")
    ranges = sum(isinstance(allowed, RangeConfig) for allowed in space.values())
    if settings.sampler == "cmaes" and ranges < 2:
        raise InputError(
            "search.sampler=cmaes needs two keys with {low: .., high: ..}; take tpe, gp or random for lists"
        )
    if settings.storage is not None:
        open_storage(folder, settings)  # before anything is written
    study = agreed_study(folder, overrides, space, settings)
    return SearchPlan(folder, overrides, space, settings, config.seed, study)


def _trial_overrides() -> list[str]:
    """What the user set for all trials: the search's own overrides, without those that say how to search."""
    given = HydraConfig.get().overrides
    overrides = [*given.task, *(text for text in given.hydra if text.startswith(SEARCHPATH))]
    return [text for text in overrides if not text.lstrip("+").startswith(("search.", "search=", "output="))]


def work(plan: SearchPlan, train: Train, worker: int = 0) -> None:
    """What each process does: trials, until there are enough of them.

    Raises:
        InputError: the storage cannot be reached any more.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    quiet_libraries()
    if multiprocessing.parent_process() is not None:
        end_with_parent()
    try:
        study = open_study(plan, take_up=taking_up(plan), worker=worker)
        while _wait_for_work(plan, study):
            study.sampler = next_sampler(plan, study, worker)
            _work_once(plan, study, train)
    except STORAGE_ERRORS as error:
        reason = one_line(error.__cause__ or error)
        raise InputError(
            f"search.storage={plan.settings.storage} cannot be reached any more ({reason}); call search.py again when "
            "it can: the trials go on from their checkpoints"
        ) from error


def _wait_for_work(plan: SearchPlan, study: optuna.Study) -> bool:
    """Wait for a trial to begin; False when all have ended. Trials of dead workers are looked for meanwhile."""
    settings = plan.settings
    while True:
        take_up_dead(plan, study, settings.grace_s)
        trials = study.get_trials(deepcopy=False)
        if any(trial.state == TrialState.WAITING for trial in trials):  # begun by a worker that is gone
            return True
        ended = sum(map(has_ended, trials))
        if ended >= settings.trials:
            return False
        if ended + sum(map(is_open, trials)) + count_falling(plan, trials) < settings.trials:
            return True
        time.sleep(min(settings.heartbeat / 2, LOOK_EVERY_S))


def _work_once(plan: SearchPlan, study: optuna.Study, train: Train) -> None:
    """Make a trial."""
    lost: list[int] = []

    def objective(trial: optuna.Trial) -> Sequence[float]:
        try:
            return run_trial(trial, plan, train)
        except LostTrialError:
            lost.append(trial.number)
            raise

    try:
        study.optimize(objective, n_trials=1, catch=(FailedTrialError, NeedlessTrialError))
    except (LostTrialError, ValueError):  # Optuna cannot tell the outcome of a trial that another worker has
        if not lost:
            raise


def _train(search_line: Sequence[str], overrides: list[str], run_dir: Path, report_epoch: ReportEpoch) -> bool:
    config = compose_run(overrides, run_dir)
    line = called_alike(search_line, "train", *overrides)
    return train_command.run(config, run_dir, line, report_epoch) is not None


def _report(plan: SearchPlan, study: optuna.Study, command_line: Sequence[str]) -> None:
    """Write the report, unless another worker has done so since the last trial ended."""
    from fetal_seg.commands.report import conclude_search

    with FileLock(plan.folder / ".report.lock"):
        ended = ended_trials(study)
        if plan.settings.storage is not None and study.user_attrs.get(REPORTED) == ended:
            logger.info("report: %s", plan.folder / "report.html")
            return
        conclude_search(plan.folder, command_line, trade_offs(plan, study))
        study.set_user_attr(REPORTED, ended)


def trade_offs(plan: SearchPlan, study: optuna.Study) -> list[TradeOff]:
    """What each trial of a search with several objectives came to; none where there is one."""
    complete = study.get_trials(states=(TrialState.COMPLETE,)) if plan.settings.has_several_objectives else []
    return [
        TradeOff(folder_of(trial, plan.folder).name, _overrides(trial, plan.space), *trial.values)
        for trial in complete
        if TWIN not in trial.user_attrs
    ]


def _overrides(trial: FrozenTrial, space: Space) -> str:
    return " ".join(f"{key}={trial.params[key]}" for key in space)


def _log_best(study: optuna.Study, plan: SearchPlan) -> None:
    """The best trial, or those that no other beats in all objectives, and what the search cost."""
    trained = [trial for trial in study.get_trials(states=ENDED) if TWIN not in trial.user_attrs]
    complete = [trial for trial in trained if trial.values is not None and trial.state == TrialState.COMPLETE]

    def named(trial: FrozenTrial) -> str:
        return f"trial {folder_of(trial, plan.folder).name}: {_overrides(trial, plan.space)}"

    if plan.settings.has_several_objectives:
        logger.info("%d trainings", len(trained))
        front = [trial for trial in study.best_trials if TWIN not in trial.user_attrs]
        for best in sorted(front, key=lambda trial: trial.values[1]):
            logger.info("no other is as good and as fast: val/dice %.4f, %.2f ms by %s", *best.values, named(best))
        return
    epochs = sum(len(trial.intermediate_values) for trial in trained)
    pruned = len(trained) - len(complete)
    logger.info("%d trainings of %d epochs in all, %d of them pruned", len(trained), epochs, pruned)
    if complete:
        best = max(complete, key=lambda trial: trial.value or 0.0)
        logger.info("best: val/dice %.4f by %s", best.value, named(best))
