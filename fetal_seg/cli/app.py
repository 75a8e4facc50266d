"""From a command line to a checked configuration: what the entry points share of Hydra."""

import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fetal_seg.cli.composing import checked, resumable
from fetal_seg.cli.overrides import CONF
from fetal_seg.cli.preparing import OF_A_FILE, named_folder, prepare
from fetal_seg.cli.quiet import quiet_image_libraries
from fetal_seg.cli.run_folder import CONFIG, ResumedRun, hold
from fetal_seg.cli.signals import heeding, how_to_go_on
from fetal_seg.cli.sweep import Sweep, run_job, run_sweep
from fetal_seg.errors import DivergedError, InputError, Interrupted, one_line
from fetal_seg.files import LOCK, NOT_WRITABLE, is_locked, write_text

logger = logging.getLogger(__name__)

ALONE = ("train", "evaluate", "predict")  # commands whose folder is theirs alone

Task = Callable[[Any, Path, list[str]], Any]  # takes a checked configuration, the run's folder and the command line


def command(name: str) -> Callable[[Task], Callable[[], None]]:
    """Make an entry point of a function, by the name of its configuration in ``conf/`` and in `SCHEMAS`."""

    def decorate(task: Task) -> Callable[[], None]:
        @hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)
        def job(composed: DictConfig) -> None:
            quiet_image_libraries()  # here too: the jobs of a sweep may have processes of their own
            run_dir = Path(HydraConfig.get().runtime.output_dir)
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                line = [f"{name}.py", *HydraConfig.get().overrides.task]  # the job's command line, not the sweep's
                folders = _folders()
                run_job(lambda: task(resumable(checked(composed, name, folders), run_dir), run_dir, line), run_dir)
                return
            _end_well(name, lambda: _run(task, composed, name, run_dir), lambda: _drop_empty(run_dir, name))

        def main() -> None:
            quiet_image_libraries()
            _end_well(name, lambda: _start(task, name, job))

        return main

    return decorate


def _start(task: Task, name: str, job: Callable[[], None]) -> None:
    """Do what the command line asks for: a run or one that goes on, a sweep, or help."""
    prepared = prepare(sys.argv[1:], name)
    if isinstance(prepared, Sweep):
        sys.exit(run_sweep(prepared, job))
    if isinstance(prepared, ResumedRun):
        _go_on(task, prepared)
        return
    given = named_folder(prepared) if name in ALONE else None
    lock = hold(given) if given else None  # before Hydra writes there
    sys.argv[1:] = prepared
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # what is wrong comes to `_end_well`
    job()
    del lock


def _run(task: Task, composed: DictConfig, name: str, run_dir: Path) -> None:
    config = checked(composed, name, _folders())
    lock = hold(run_dir) if name == "train" and not is_locked(run_dir) else None
    task(config, run_dir, list(sys.argv))
    del lock


def _folders() -> list[Path]:
    """The folders that Hydra has the configuration from, the user's own first."""
    sources = [Path(source.path) for source in HydraConfig.get().runtime.config_sources if source.schema == "file"]
    return [*(path for path in sources if path != CONF), CONF]


def _go_on(task: Task, resumed: ResumedRun) -> None:
    """Train on in a run's folder, by its own configuration, with its log."""
    from hydra.core.utils import configure_log, setup_globals

    lock = hold(resumed.folder)
    setup_globals()
    if resumed.logging:
        configure_log(OmegaConf.create(resumed.logging))
    config = checked(OmegaConf.create(resumed.config), "train")
    try:
        task(config, resumed.folder, list(sys.argv))
    except InputError:  # nothing was trained
        raise
    except BaseException:
        _write_config(resumed)
        raise
    _write_config(resumed)
    del lock


def _write_config(resumed: ResumedRun) -> None:
    write_text(resumed.folder / CONFIG, OmegaConf.to_yaml(OmegaConf.create(resumed.config)))


def _end_well(name: str, run: Callable[[], None], tidy: Callable[[], None] = lambda: None) -> None:
    """Run, and tell in a sentence and an exit status what was wrong, or that a signal ended it."""
    arguments = sys.argv[1:]
    try:
        with heeding():
            run()
    except InputError as error:
        tidy()
        _refuse(error)
    except (HydraException, OmegaConfBaseException) as error:
        _refuse(InputError(f"Hydra cannot take this command line ({one_line(error)}); see python {name}.py --help"))
    except OSError as error:
        if error.errno not in NOT_WRITABLE or not error.filename:
            raise
        _refuse(InputError(f"{error.filename} cannot be written ({error.strerror}); make room, or permit it"))
    except DivergedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Interrupted as interrupted:
        if not interrupted.is_told:
            print(how_to_go_on(name, arguments, _results_folder()), file=sys.stderr)
        sys.exit(interrupted.status)
    except KeyboardInterrupt:
        print(how_to_go_on(name, arguments, _results_folder()), file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def _results_folder() -> Path | None:
    return Path(HydraConfig.get().runtime.output_dir) if HydraConfig.initialized() else None


def _refuse(error: InputError) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


def _drop_empty(run_dir: Path, name: str) -> None:
    """Remove the folder of a run that was refused, if it holds nothing but what Hydra wrote before the run."""
    if name in OF_A_FILE:  # it works in the user's own
        return
    of_hydra = {".hydra", LOCK, f"{HydraConfig.get().job.name}.log"}
    if {path.name for path in run_dir.iterdir()} <= of_hydra:
        logging.shutdown()
        shutil.rmtree(run_dir, ignore_errors=True)
