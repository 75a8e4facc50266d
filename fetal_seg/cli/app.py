"""From a command line to a checked configuration: what the entry points share of Hydra."""

import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fetal_seg.cli.overrides import CONF, as_hydra_takes, first_of, is_of_hydra, is_sweep, last_value
from fetal_seg.cli.quiet import quiet_image_libraries
from fetal_seg.cli.sweep import Sweep, plan_sweep, run_job, run_sweep
from fetal_seg.errors import InputError
from fetal_seg.files import check_writable, write_text

if TYPE_CHECKING:
    from fetal_seg.config.commands import TrainConfig

logger = logging.getLogger(__name__)

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
                run_job(lambda: task(_resumable(_checked(composed, name), run_dir), run_dir, line), run_dir)
                return
            try:
                task(_checked(composed, name), run_dir, list(sys.argv))
            except InputError as error:
                _drop_empty(run_dir)
                _refuse(error)

        def main() -> None:
            quiet_image_libraries()
            try:
                prepared = _prepare(sys.argv[1:], name)
            except InputError as error:
                _refuse(error)
            if isinstance(prepared, Sweep):
                sys.exit(run_sweep(prepared, job))
            sys.argv[1:] = prepared
            job()

        return main

    return decorate


def _refuse(error: InputError) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


def _checked(composed: DictConfig, name: str) -> Any:
    """The configuration of a command by its schema; both are imported when they are needed, which help does not."""
    from fetal_seg.cli.validation import validate
    from fetal_seg.config.commands import SCHEMAS

    try:
        plain = OmegaConf.to_container(composed, resolve=True)
    except OmegaConfBaseException as error:
        raise InputError(f"the configuration cannot be resolved: {error}") from error
    assert isinstance(plain, dict)
    return validate({str(key): value for key, value in plain.items()}, SCHEMAS[name], CONF)


def _prepare(arguments: list[str], name: str) -> list[str] | Sweep:
    """Check a command line before Hydra makes a folder for it: the arguments for Hydra, or a sweep."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    if any(flag not in ("-m", "--multirun") for flag in flags):
        return arguments  # --help, --cfg and the like are Hydra's own
    overrides = as_hydra_takes([argument for argument in arguments if argument not in flags])
    if name == "train" and (flags or last_value(overrides, "sweep.resume")):
        return _prepare_sweep(overrides)
    if flags:
        raise InputError(f"-m is for train.py alone; call {name}.py once for each")
    if several := [text.lstrip("+") for text in overrides if is_sweep(text)]:
        remedy = "add -m for a sweep" if name == "train" else "write a decimal with a point, several in [ ]"
        raise InputError(f"{', '.join(several)}: that is several values; give one, or {remedy}")
    output = last_value(overrides, "output") if name != "train" else None
    if output:  # results go there, and the log with them
        output = str(Path(output.replace("\\'", "'")).expanduser())
        escaped = output.replace("'", "\\'")
        overrides.append(f"hydra.run.dir='{escaped}'")
    if name != "train":
        _check_output(Path(output or "outputs"))
    _compose(overrides, name)
    return overrides


def _check_output(folder: Path) -> None:
    """Refuse a folder that cannot be written, or is a file, before Hydra does."""
    try:
        check_writable(folder)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"output={folder} cannot be written ({reason}); give another folder, or make room") from error


def _prepare_sweep(overrides: list[str]) -> Sweep:
    sweep = plan_sweep(overrides, lambda keys: _compose(keys, "train").sweep.grid)
    jobs = sweep.jobs()
    strategy = _first_valid(jobs).trainer.strategy
    if strategy == "ddp" or any({"trainer=ddp", "++trainer.strategy=ddp"} & set(job) for job in jobs):
        raise InputError(
            "a sweep (-m) cannot use trainer=ddp, whose processes would each start the whole sweep again; "
            "take trainer=default, or one command for each job"
        )
    return sweep


def _first_valid(jobs: list[list[str]]) -> "TrainConfig":
    """The configuration of the first job that can run; the others fail, each in its turn, without stopping it."""
    problems = []
    for job in jobs:
        try:
            return _compose(job, "train")  # type: ignore[no-any-return]  # reason: the schema of that name
        except InputError as error:
            problems.append(error)
    raise problems[0]


def compose_run(overrides: Sequence[str], run_dir: Path) -> "TrainConfig":
    """The checked configuration of ``train.py`` with these overrides, written to the run's folder as Hydra does.

    Raises:
        InputError: it cannot be composed, or is wrong.
    """
    composed = _composed(as_hydra_takes([text.lstrip("+") for text in overrides]), "train", return_hydra_config=True)
    hydra_keys = OmegaConf.masked_copy(composed, ["hydra"])
    config = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
    for name, content in (("config", config), ("hydra", hydra_keys), ("overrides", OmegaConf.create(list(overrides)))):
        write_text(run_dir / ".hydra" / f"{name}.yaml", OmegaConf.to_yaml(content))
    return _resumable(_checked(config, "train"), run_dir)


def _compose(overrides: list[str], name: str) -> Any:
    """The checked configuration of these overrides, or of the first job of a sweep."""
    return _checked(_composed([first_of(text) for text in overrides if not is_of_hydra(text)], name), name)


def _composed(overrides: list[str], name: str, **options: Any) -> DictConfig:
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            return hydra.compose(name, overrides, **options)
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(" ".join(str(error).split())) from error


def _resumable(config: "TrainConfig", run_dir: Path) -> "TrainConfig":
    """A job's configuration, going on from the job's own last checkpoint where there is one."""
    if (run_dir / "checkpoints" / "last.ckpt").is_file():
        config.ckpt_path = "last"
    return config


def _drop_empty(run_dir: Path) -> None:
    """Remove the folder of a run that was refused, if it holds nothing but what Hydra wrote before the run."""
    of_hydra = {".hydra", f"{HydraConfig.get().job.name}.log"}
    if {path.name for path in run_dir.iterdir()} <= of_hydra:
        logging.shutdown()
        shutil.rmtree(run_dir, ignore_errors=True)
