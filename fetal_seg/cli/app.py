"""From a command line to a checked configuration: what the entry points share of Hydra."""

import logging
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from fetal_seg.cli.composing import checked, compose, composed_of, resumable
from fetal_seg.cli.overrides import CONF, as_hydra_takes, is_of_hydra, is_sweep, last_value, naming, with_own_folder
from fetal_seg.cli.quiet import quiet_image_libraries
from fetal_seg.cli.run_folder import (
    CONFIG,
    ResumedRun,
    changes_of,
    check_free,
    check_resumed,
    hold,
    is_helper,
    read_resumed,
    taken,
)
from fetal_seg.cli.sweep import Sweep, plan_sweep, run_job, run_sweep
from fetal_seg.errors import DivergedError, InputError, Interrupted
from fetal_seg.files import LOCK, check_writable, is_locked, write_text

if TYPE_CHECKING:
    from fetal_seg.config.commands import TrainConfig

logger = logging.getLogger(__name__)

ALONE = ("train", "evaluate", "predict")  # commands whose folder is theirs alone
OF_A_FILE = ("export",)  # commands whose output is a file: they have no folder

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
            _end_well(lambda: _run(task, composed, name, run_dir), lambda: _drop_empty(run_dir))

        def main() -> None:
            quiet_image_libraries()
            try:
                prepared = _prepare(sys.argv[1:], name)
                given = _named_folder(prepared) if name in ALONE and isinstance(prepared, list) else None
                lock = hold(given) if given else None  # before Hydra writes there
            except InputError as error:
                _refuse(error)
            if isinstance(prepared, Sweep):
                sys.exit(run_sweep(prepared, job))
            if isinstance(prepared, ResumedRun):
                _end_well(lambda: _go_on(task, prepared))
                return
            sys.argv[1:] = prepared
            job()
            del lock

        return main

    return decorate


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
    file = resumed.folder / ".hydra" / "hydra.yaml"
    hydra_keys = OmegaConf.load(file) if file.is_file() else OmegaConf.create()
    if OmegaConf.select(hydra_keys, "hydra.job_logging"):
        OmegaConf.update(hydra_keys, "hydra.runtime.output_dir", str(resumed.folder.resolve()))
        configure_log(hydra_keys.hydra.job_logging)
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


def _end_well(run: Callable[[], None], tidy: Callable[[], None] = lambda: None) -> None:
    """Run, and tell in a sentence and an exit status what was wrong, or that a signal ended it."""
    try:
        run()
    except InputError as error:
        tidy()
        _refuse(error)
    except DivergedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Interrupted as interrupted:
        sys.exit(interrupted.status)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def _refuse(error: InputError) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


def _named_folder(overrides: list[str]) -> Path | None:
    """The folder that a command line names for a run."""
    named = last_value(overrides, "hydra.run.dir")
    return Path(named).expanduser() if named else None


def _prepare(arguments: list[str], name: str) -> list[str] | Sweep | ResumedRun:
    """Check a command line before Hydra makes a folder for it: the arguments for Hydra, a sweep, or a run to go on."""
    arguments, config_name = with_own_folder(arguments)
    flags = [argument for argument in arguments if argument.startswith("-")]
    if any(flag not in ("-m", "--multirun") for flag in flags):
        return [*naming(config_name, arguments), *arguments]  # --help, --cfg and the like are Hydra's own
    overrides = as_hydra_takes([argument for argument in arguments if argument not in flags])
    if name == "train" and (flags or last_value(overrides, "sweep.resume")):
        if last_value(overrides, "resume"):
            raise InputError("resume= goes on with one run; of a sweep take sweep.resume=FOLDER")
        return _prepare_sweep(overrides, config_name)
    if name == "train" and (resumed := last_value(overrides, "resume")):
        return _prepare_resumed(Path(resumed).expanduser(), overrides)
    if flags:
        raise InputError(f"-m is for train.py alone; call {name}.py once for each")
    if several := [text.lstrip("+") for text in overrides if is_sweep(text)]:
        remedy = "add -m for a sweep" if name == "train" else "write a decimal with a point, several in [ ]"
        raise InputError(f"{', '.join(several)}: that is several values; give one, or {remedy}")
    output = last_value(overrides, "output") if name != "train" else None
    if output and name in OF_A_FILE:
        output = str(Path(output).expanduser().parent)
    elif output:  # results go there, and the log with them
        output = str(Path(output.replace("\\'", "'")).expanduser())
        escaped = output.replace("'", "\\'")
        overrides.append(f"hydra.run.dir='{escaped}'")
    if name != "train":
        _check_output(Path(output or ("" if name in OF_A_FILE else "outputs")))
    compose(overrides, name, config_name)
    if name == "train" and not is_helper():
        _check_folder(overrides, config_name or name)
    return [*naming(config_name, overrides), *overrides]


def _prepare_resumed(folder: Path, overrides: list[str]) -> ResumedRun:
    others = [text for text in overrides if not text.lstrip("+").startswith("resume=")]
    if of_hydra := [text for text in others if is_of_hydra(text)]:
        raise InputError(f"{', '.join(of_hydra)} cannot be given beside resume=; the run has its folder; leave it out")
    resumed = read_resumed(folder, changes_of(others))
    checked(OmegaConf.create(resumed.config), "train")
    return resumed


def _check_folder(overrides: list[str], config_name: str) -> None:
    """See that a run overwrites nothing, and that what it goes on from was begun with the same keys."""
    folder, checkpoint = _named_folder(overrides), last_value(overrides, "ckpt_path")
    if folder and is_locked(folder):
        raise taken(folder)
    if folder and checkpoint != "last":
        check_free(folder)
    if checkpoint is None:
        return
    of_run = (folder or Path()) if checkpoint == "last" else Path(checkpoint).expanduser().parent.parent
    if checkpoint == "last" and folder is None:
        raise InputError("ckpt_path=last goes on in hydra.run.dir=RUN; give it, or resume=RUN alone")
    if checkpoint != "last" and not (of_run / CONFIG).is_file():
        return  # a checkpoint that was copied; what it tells of itself is compared when it is read
    if checkpoint == "last":
        read_resumed(of_run, {})
    kept = [text for text in overrides if not is_of_hydra(text)]
    config = OmegaConf.to_container(composed_of(kept, config_name), resolve=False)
    assert isinstance(config, dict)
    check_resumed(of_run, {str(key): value for key, value in config.items()}, f"ckpt_path={checkpoint}")


def _check_output(folder: Path) -> None:
    """Refuse a folder that cannot be written, or is a file, before Hydra does."""
    try:
        check_writable(folder)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"output={folder} cannot be written ({reason}); give another folder, or make room") from error


def _prepare_sweep(overrides: list[str], config_name: str | None) -> Sweep:
    sweep = plan_sweep(overrides, lambda keys: compose(keys, "train", config_name).sweep.grid, config_name)
    jobs = sweep.jobs()
    trainer = _first_valid(jobs, sweep.config_name).trainer
    if trainer.fast_dev_run:
        from fetal_seg.cli.validation import NOT_COMPARED  # help, which needs no schemas, is not to wait for them

        raise InputError(NOT_COMPARED)
    if trainer.strategy == "ddp" or any({"trainer=ddp", "++trainer.strategy=ddp"} & set(job) for job in jobs):
        raise InputError(
            "a sweep (-m) cannot use trainer=ddp, whose processes would each start the whole sweep again; "
            "take trainer=default, or one command for each job"
        )
    return sweep


def _first_valid(jobs: list[list[str]], config_name: str | None) -> "TrainConfig":
    """The configuration of the first job that can run; the others fail, each in its turn, without stopping it."""
    problems = []
    for job in jobs:
        try:
            return compose(job, "train", config_name)  # type: ignore[no-any-return]  # reason: the schema of that name
        except InputError as error:
            problems.append(error)
    raise problems[0]


def _drop_empty(run_dir: Path) -> None:
    """Remove the folder of a run that was refused, if it holds nothing but what Hydra wrote before the run."""
    of_hydra = {".hydra", LOCK, f"{HydraConfig.get().job.name}.log"}
    if {path.name for path in run_dir.iterdir()} <= of_hydra:
        logging.shutdown()
        shutil.rmtree(run_dir, ignore_errors=True)
