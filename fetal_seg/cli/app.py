"""From a command line to a checked configuration: what the entry points share of Hydra."""

import logging
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fetal_seg.cli.composing import checked, resumable
from fetal_seg.cli.ending import ending_well
from fetal_seg.cli.overrides import CONF
from fetal_seg.cli.preparing import named_folder, prepare
from fetal_seg.cli.quiet import quiet_libraries
from fetal_seg.cli.run_folder import CONFIG, ResumedRun, hold
from fetal_seg.cli.signals import how_to_go_on
from fetal_seg.cli.sweep import Sweep, run_job, run_sweep
from fetal_seg.commands.command_line import as_typed, called_alike, caller, is_script
from fetal_seg.config.processes import is_first_process
from fetal_seg.errors import InputError, one_line
from fetal_seg.files import LOCK, is_locked, write_text

logger = logging.getLogger(__name__)

ALONE = ("train", "evaluate", "predict")  # commands whose folder is theirs alone

Task = Callable[[Any, Path, list[str]], Any]  # takes a checked configuration, the run's folder and the command line


def command(name: str) -> Callable[[Task], Callable[[], None]]:
    """Make an entry point of a function, by the name of its configuration in ``conf/`` and in `SCHEMAS`.

    It takes `sys.argv`: of a script, or of the program, where the name of the command comes first.
    """

    def decorate(task: Task) -> Callable[[], None]:
        def main() -> None:
            quiet_libraries()
            line = list(sys.argv)
            _end_well(name, line, lambda: _start(task, name, line))

        return main

    return decorate


def _start(task: Task, name: str, line: list[str]) -> None:
    """Do what the command line asks for: a run or one that goes on, a sweep, or help."""
    prepared = prepare(line[len(caller(line)) :], name)
    if isinstance(prepared, Sweep):
        sys.exit(run_sweep(prepared, line, lambda: _launch(task, prepared, name, line)))
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # what is wrong comes to `_end_well`
    if isinstance(prepared, ResumedRun):
        _go_on(task, prepared, line)
        return
    given = named_folder(prepared) if name in ALONE else None
    lock = hold(given) if given else None  # before Hydra writes there
    by_hydra(task, name, line, prepared)
    del lock


def _launch(task: Task, sweep: Sweep, name: str, line: list[str]) -> None:
    """Run the jobs of a sweep: in processes that Hydra's launcher has, or wherever ours submits them."""
    if sweep.launcher is None:
        by_hydra(task, name, line, sweep.arguments)
        return
    from fetal_seg.cli.submitting import submit_and_wait

    submit_and_wait(sweep, sweep.launcher, line)


def by_hydra(task: Task, name: str, line: list[str], arguments: list[str]) -> None:
    """Have Hydra compose what the arguments ask for, and run it, or the jobs of a sweep, or show help.

    Args:
        line: the command line.
        arguments: of it, as Hydra takes them.
    """
    called = caller(line)

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)
    def job(composed: DictConfig) -> None:
        quiet_libraries()  # here too: the jobs of a sweep may have processes of their own
        run_dir = Path(HydraConfig.get().runtime.output_dir)
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            of_job = called_alike(line, name, *HydraConfig.get().overrides.task)
            folders = _folders()
            run_job(lambda: task(resumable(checked(composed, name, folders), run_dir), run_dir, of_job), run_dir)
            return
        sys.argv = [*called, *arguments]  # Lightning calls the other processes of a training by it
        _end_well(name, line, lambda: _run(task, composed, name, run_dir, line), lambda: _drop_empty(run_dir))

    if not is_script(called) and {"--help", "-h"} & set(arguments):
        arguments = [*arguments, f"hydra.help.app_name='{as_typed(called)}'"]
    sys.argv = [called[0], *arguments]  # where Hydra looks for them
    job()


def _run(task: Task, composed: DictConfig, name: str, run_dir: Path, line: list[str]) -> None:
    config = checked(composed, name, _folders())
    lock = hold(run_dir) if name == "train" and not is_locked(run_dir) else None
    task(config, run_dir, line)
    del lock


def _folders() -> list[Path]:
    """The folders that Hydra has the configuration from, the user's own first."""
    sources = [Path(source.path) for source in HydraConfig.get().runtime.config_sources if source.schema == "file"]
    return [*(path for path in sources if path != CONF), CONF]


def _go_on(task: Task, resumed: ResumedRun, line: list[str]) -> None:
    """Train on in a run's folder, by its own configuration, with its log."""
    from hydra.core.utils import configure_log, setup_globals

    lock = hold(resumed.folder)
    setup_globals()
    if resumed.logging:
        configure_log(OmegaConf.create(resumed.logging))
    config = checked(OmegaConf.create(resumed.config), "train")
    try:
        task(config, resumed.folder, line)
    except InputError:  # nothing was trained
        raise
    except BaseException:
        _write_config(resumed)
        raise
    _write_config(resumed)
    del lock


def _write_config(resumed: ResumedRun) -> None:
    if is_first_process():
        write_text(resumed.folder / CONFIG, OmegaConf.to_yaml(OmegaConf.create(resumed.config)))


def _end_well(name: str, line: Sequence[str], run: Callable[[], None], tidy: Callable[[], None] = lambda: None) -> None:
    """Run, and tell in a sentence and an exit status what was wrong, or that a signal ended it.

    Args:
        line: the command line.
        tidy: is called where it is refused.
    """
    with ending_well(lambda: how_to_go_on(name, line, _results_folder())):
        try:
            run()
        except InputError:
            tidy()
            raise
        except (HydraException, OmegaConfBaseException) as error:
            help_line = as_typed([*caller(line), "--help"])
            raise InputError(f"Hydra cannot take this command line ({one_line(error)}); see {help_line}") from error


def _results_folder() -> Path | None:
    return Path(HydraConfig.get().runtime.output_dir) if HydraConfig.initialized() else None


def _drop_empty(run_dir: Path) -> None:
    """Remove the folder of a run that was refused, if it holds nothing but what Hydra wrote before the run."""
    if HydraConfig.get().output_subdir is None:  # it works in the user's own
        return
    of_hydra = {".hydra", LOCK, f"{HydraConfig.get().job.name}.log"}
    if {path.name for path in run_dir.iterdir()} <= of_hydra:
        logging.shutdown()
        shutil.rmtree(run_dir, ignore_errors=True)
