"""From a command line to a checked configuration: what the entry points share of Hydra."""

import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fetal_seg.errors import InputError

CONF = Path(__file__).resolve().parent.parent / "conf"

logger = logging.getLogger(__name__)


def command(name: str, schema: str) -> Callable[[Callable[[Any, Path], None]], Callable[[], None]]:
    """Make an entry point of a function that takes a checked configuration and the run's folder.

    Args:
        name: of the top configuration in ``conf/``.
        schema: name of its dataclass in ``fetal_seg.config``.
    """

    def decorate(task: Callable[[Any, Path], None]) -> Callable[[], None]:
        @hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)
        def job(composed: DictConfig) -> None:
            run_dir = Path(HydraConfig.get().runtime.output_dir)
            try:
                config = _checked(composed, schema)
                task(config, run_dir)
            except InputError as error:
                if HydraConfig.get().mode == RunMode.MULTIRUN:
                    raise  # the sweep goes on, and reports it at its end
                _drop_empty(run_dir)
                _refuse(error)

        def main() -> None:
            try:
                sys.argv[1:] = _prepare(sys.argv[1:], name, schema)
            except InputError as error:
                _refuse(error)
            job()

        return main

    return decorate


def _refuse(error: InputError) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


def _checked(composed: DictConfig, schema: str) -> Any:
    from fetal_seg import config, validation

    try:
        plain = OmegaConf.to_container(composed, resolve=True)
    except OmegaConfBaseException as error:
        raise InputError(f"the configuration cannot be resolved: {error}") from error
    assert isinstance(plain, dict)
    return validation.validate({str(key): value for key, value in plain.items()}, getattr(config, schema), CONF)


def _prepare(arguments: list[str], name: str, schema: str) -> list[str]:
    """Check a command line before Hydra makes a folder for it.

    Hydra stops at the first key that it does not know. To report all problems at once, each plain
    value is handed to it as "add or override", and what is unknown is found by the schema.
    """
    flags = [argument for argument in arguments if argument.startswith("-")]
    if any(flag not in ("-m", "--multirun") for flag in flags):
        return arguments  # --help, --cfg and the like are Hydra's own
    problems: list[str] = []
    overrides = [_override(argument, problems) for argument in arguments if argument not in flags]
    if problems:
        raise InputError("; ".join(problems))
    if flags and {"trainer=ddp", "++trainer.strategy=ddp"} & set(overrides):
        raise InputError(
            "a sweep (-m) cannot use trainer=ddp, whose processes would each start the whole sweep again; "
            "take trainer=default, or one command for each job"
        )
    if name != "train":  # results go where output= says, and the log with them
        given = [text.split("=", 1)[1] for text in overrides if text.startswith("++output=")]
        overrides += [f"hydra.run.dir={folder}" for folder in given if folder != "null"]
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            composed = hydra.compose(name, [_first(text) for text in overrides if not text.startswith("hydra")])
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(" ".join(str(error).split())) from error
    _checked(composed, schema)
    return flags + overrides


def _first(override: str) -> str:
    """The override itself, or of a sweep the one of its first job; later jobs are checked when they start."""
    parsed = OverridesParser.create().parse_override(override)
    if not parsed.is_sweep_override():
        return override
    return f"{parsed.get_key_element()}={next(parsed.sweep_string_iterator())}"


def _override(argument: str, problems: list[str]) -> str:
    try:
        parsed = OverridesParser.create().parse_override(argument)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        problems.append(f"{argument!r} is no override ({reason}); write key=value, with quotes around odd characters")
        return argument
    key = parsed.key_or_group
    folder = CONF / key
    if folder.is_dir():
        choices = sorted(file.stem for file in folder.glob("*.yaml"))
        values = parsed.sweep_string_iterator() if parsed.is_sweep_override() else [parsed.value()]
        unknown = [str(value) for value in values if str(value) not in choices]
        if unknown and not parsed.is_delete():
            problems.append(f"{key}={', '.join(unknown)} is unknown; take one of {', '.join(choices)}")
        return argument
    if key == "hydra" or key.startswith(("hydra.", "hydra/")) or parsed.is_delete():
        return argument
    return f"++{argument.lstrip('+')}"


def _drop_empty(run_dir: Path) -> None:
    """Remove the folder of a run that was refused, if it holds nothing but what Hydra wrote before the run."""
    of_hydra = {".hydra", f"{HydraConfig.get().job.name}.log"}
    if {path.name for path in run_dir.iterdir()} <= of_hydra:
        logging.shutdown()
        shutil.rmtree(run_dir, ignore_errors=True)
