"""A search that prunes: Optuna proposes overrides, sees each epoch's validation Dice, prunes what falls behind.

The study is ``study.db`` (SQLite) in the search's folder, which any number of workers share; a trial has a run folder
there, named by its number. Training is a function of its configuration, so no configuration is trained twice. The
sampler's random numbers are a function of the seed and of how many trials have ended: a search by one worker that was
killed goes on to the same trials, unless hyperband, which goes by their numbers, prunes them.
"""

import contextlib
import json
import logging
import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import yaml
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, Trial, TrialState

from fetal_seg.cli.composing import compose_run
from fetal_seg.cli.orphans import end_with_parent
from fetal_seg.cli.overrides import SEARCHPATH
from fetal_seg.cli.quiet import quiet_image_libraries
from fetal_seg.cli.signals import how_to_go_on
from fetal_seg.cli.study import ENDED, FAILED, ended_trials, next_sampler, open_study
from fetal_seg.cli.sweep import FAILURE, record_failure
from fetal_seg.commands import train as train_command
from fetal_seg.commands.command_line import called_alike
from fetal_seg.config.commands import RangeConfig, SearchConfig, SearchSettings
from fetal_seg.errors import DivergedError, InputError, Interrupted, one_line
from fetal_seg.evaluation.runs import SPACE
from fetal_seg.files import LOCK, write_text
from fetal_seg.progress import ReportEpoch

Train = Callable[[list[str], Path, ReportEpoch], bool]
Space = Mapping[str, Sequence[Any] | RangeConfig]

logger = logging.getLogger(__name__)


class FailedTrialError(Exception):
    """A trial's training failed; the others go on. Anything else that goes wrong ends the search."""


def run_search(config: SearchConfig, folder: Path, command_line: Sequence[str]) -> int:
    """Run the search of a configuration in a folder, or go on with the one there; returns the exit status.

    Raises:
        InputError: there is nothing to search, or the folder is of another search.
    """
    settings = config.search
    overrides = _trial_overrides(folder)
    fixed = {text.lstrip("+").split("=")[0] for text in overrides}
    space = {key: values for key, values in (settings.space or config.sweep.grid).items() if key not in fixed}
    if not space:
        raise InputError("there is nothing to search; set search.space={KEY: [..]}, or take experiment=ablation")
    _check_same(folder, overrides, space)
    study = open_study(folder, config.seed, settings, create=True)
    _take_up(study, folder, space)
    from joblib import Parallel, delayed

    from fetal_seg.commands.report import conclude_search

    logger.info("search in %s: %d of %d trials done", folder, ended_trials(study), settings.trials)
    interrupted = 0
    try:
        Parallel(n_jobs=settings.workers, backend="loky")(
            delayed(work)(folder, overrides, space, settings, config.seed + worker, partial(_train, command_line))
            for worker in range(settings.workers)
        )
    except KeyboardInterrupt:
        interrupted = 128 + signal.SIGINT
    except Interrupted as signalled:
        interrupted = signalled.status
    _log_best(study, space)
    conclude_search(folder, command_line)
    if interrupted:
        logger.info(how_to_go_on("search", command_line, folder))
    failed = [trial for trial in study.get_trials(deepcopy=False) if FAILED in trial.user_attrs]
    return interrupted or int(ended_trials(study) < settings.trials or bool(failed))


def _trial_overrides(folder: Path) -> list[str]:
    """What the user set for all trials: the search's own overrides, without those that say how to search."""
    hydra = yaml.safe_load((folder / ".hydra" / "hydra.yaml").read_text(encoding="utf-8"))["hydra"]["overrides"]
    overrides = [*hydra["task"], *(text for text in hydra["hydra"] if text.startswith(SEARCHPATH))]
    return [text for text in overrides if not text.lstrip("+").startswith(("search.", "search=", "output="))]


def _check_same(folder: Path, overrides: list[str], space: Space) -> None:
    """Keep what is searched beside the study, and refuse to mix another search into it."""
    written = {key: vars(value) if isinstance(value, RangeConfig) else list(value) for key, value in space.items()}
    content = {"overrides": overrides, "space": written}
    file = folder / SPACE
    if file.is_file():
        try:
            stored = dict(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise InputError(f"{file} is damaged ({one_line(error)}); give another output") from error
        if stored != content:
            of = f"{' '.join(stored.get('overrides', ()))} over {', '.join(stored.get('space', ()))}"
            raise InputError(f"{folder} holds another search ({of}); give the same keys, or another output")
    else:
        write_text(file, json.dumps(content, indent=1) + "\n")


def _take_up(study: optuna.Study, folder: Path, space: Space) -> None:
    """Put trials whose process died in the queue again, with their run folder to go on in.

    One that died before all was proposed for it has trained nothing: the same is proposed again.
    """
    queued = {_folder_of(trial, folder) for trial in study.get_trials(states=(TrialState.WAITING,))}
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        run_dir = _folder_of(trial, folder)
        run_dir.mkdir(exist_ok=True)
        params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}  # what it had from the queue
        with contextlib.suppress(Timeout), FileLock(run_dir / LOCK, timeout=0):
            if params.keys() == space.keys() and run_dir not in queued:
                study.enqueue_trial(params, user_attrs={"folder": run_dir.name})
            study.tell(trial.number, state=TrialState.FAIL)


def _folder_of(trial: FrozenTrial | Trial, folder: Path) -> Path:
    return folder / str(trial.user_attrs.get("folder", trial.number))


def work(folder: Path, overrides: list[str], space: Space, settings: SearchSettings, seed: int, train: Train) -> None:
    """What each process does: trials, until there are enough of them.

    Args:
        train: trains with given overrides in a run folder and reports each epoch; gives whether it came to its end.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    quiet_image_libraries()
    if multiprocessing.parent_process() is not None:
        end_with_parent()
    study = open_study(folder, seed, settings)

    def prepare_next(study: optuna.Study, _: FrozenTrial) -> None:
        study.sampler = next_sampler(seed, settings, study)
        if ended_trials(study) >= settings.trials:
            study.stop()

    if ended_trials(study) < settings.trials:
        objective = partial(_objective, folder=folder, overrides=overrides, space=space, train=train)
        study.optimize(objective, callbacks=[prepare_next], catch=(FailedTrialError,))


def _train(search_line: Sequence[str], overrides: list[str], run_dir: Path, report_epoch: ReportEpoch) -> bool:
    config = compose_run(overrides, run_dir)
    line = called_alike(search_line, "train", *overrides)
    return train_command.run(config, run_dir, line, report_epoch) is not None


def _objective(trial: Trial, folder: Path, overrides: list[str], space: Space, train: Train) -> float:
    """The highest validation Dice of a trial."""
    values = {key: _propose(trial, key, allowed) for key, allowed in space.items()}
    twin = _twin(trial)
    if twin is not None:
        return _as_before(trial, twin)
    run_dir = _folder_of(trial, folder)
    run_dir.mkdir(exist_ok=True)
    with FileLock(run_dir / LOCK):
        try:
            (run_dir / FAILURE).unlink(missing_ok=True)
            return _highest_dice(trial, overrides, values, run_dir, train)
        except optuna.TrialPruned:
            raise
        except DivergedError as error:
            logger.info("trial %s: %s", run_dir.name, error)
            raise optuna.TrialPruned from error
        except Exception as error:
            record_failure(run_dir, error)
            trial.set_user_attr(FAILED, True)
            raise FailedTrialError from error


def _highest_dice(trial: Trial, overrides: list[str], values: dict[str, Any], run_dir: Path, train: Train) -> float:
    dice: list[float] = []

    def report_epoch(epoch: int, value: float) -> bool:
        dice.append(value)
        trial.report(value, epoch)
        return trial.should_prune()

    ended = train([*overrides, *(f"{key}={value}" for key, value in values.items())], run_dir, report_epoch)
    outcome = "val/dice" if ended else "pruned at val/dice"
    logger.info("trial %s (%s): %s %.4f", run_dir.name, ", ".join(map(str, values.values())), outcome, max(dice))
    if not ended:
        raise optuna.TrialPruned
    return max(dice)


def _propose(trial: Trial, key: str, allowed: Sequence[Any] | RangeConfig) -> Any:
    if not isinstance(allowed, RangeConfig):
        return trial.suggest_categorical(key, list(allowed))
    if isinstance(allowed.low, int) and isinstance(allowed.high, int):
        return trial.suggest_int(key, allowed.low, allowed.high, log=allowed.log)
    return trial.suggest_float(key, allowed.low, allowed.high, log=allowed.log)


def _twin(trial: Trial) -> FrozenTrial | None:
    """A trial of the same values that has ended."""
    ended = trial.study.get_trials(deepcopy=False, states=ENDED)
    return next((other for other in ended if other.params == trial.params), None)


def _as_before(trial: Trial, twin: FrozenTrial) -> float:
    trial.set_user_attr("twin", twin.number)
    if twin.state == TrialState.PRUNED or twin.value is None:
        raise optuna.TrialPruned
    return twin.value


def _log_best(study: optuna.Study, space: Space) -> None:
    """The best trial, and what the search cost."""
    trained = [trial for trial in study.get_trials(states=ENDED) if "twin" not in trial.user_attrs]
    complete = [trial for trial in trained if trial.value is not None and trial.state == TrialState.COMPLETE]
    epochs = sum(len(trial.intermediate_values) for trial in trained)
    pruned = len(trained) - len(complete)
    logger.info("%d trainings of %d epochs in all, %d of them pruned", len(trained), epochs, pruned)
    if complete:
        best = max(complete, key=lambda trial: trial.value or 0.0)
        overrides = " ".join(f"{key}={best.params[key]}" for key in space)
        logger.info("best: val/dice %.4f by trial %d: %s", best.value, best.number, overrides)
