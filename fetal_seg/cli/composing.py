"""Configurations from overrides: composed by Hydra, checked by their schemas."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fetal_seg.cli.overrides import CONF, SEARCHPATH, as_hydra_takes, config_folders, first_of, is_of_hydra
from fetal_seg.errors import InputError
from fetal_seg.files import write_text

if TYPE_CHECKING:
    from fetal_seg.config.commands import TrainConfig


def checked(composed: DictConfig, name: str, folders: Sequence[Path] = (CONF,)) -> Any:
    """The configuration of a command by its schema; both are imported when they are needed, which help does not.

    Args:
        folders: of configurations, the user's own first.

    Raises:
        InputError: it is wrong.
    """
    from fetal_seg.cli.validation import validate
    from fetal_seg.config.commands import SCHEMAS

    try:
        plain = OmegaConf.to_container(composed, resolve=True)
    except OmegaConfBaseException as error:
        raise InputError(f"the configuration cannot be resolved: {error}") from error
    assert isinstance(plain, dict)
    return validate({str(key): value for key, value in plain.items()}, SCHEMAS[name], folders)


def compose(overrides: list[str], name: str, config_name: str | None = None) -> Any:
    """The checked configuration of these overrides, or of the first job of a sweep.

    Args:
        name: of the command.
        config_name: of another file than the command's own, in a user's folder.
    """
    kept = [first_of(text) for text in overrides if not is_of_hydra(text)]
    return checked(composed_of(kept, config_name or name), name, config_folders(overrides))


def composed_of(overrides: list[str], name: str, **options: Any) -> DictConfig:
    """What Hydra makes of these overrides, unchecked.

    Raises:
        InputError: it can make nothing of them.
    """
    folders = config_folders(overrides)
    home = next((folder for folder in folders if (folder / f"{name}.yaml").is_file()), CONF)
    if others := [f"file://{folder}" for folder in folders if folder != home]:
        kept = [text for text in overrides if not text.startswith(f"{SEARCHPATH}=")]
        overrides = [*kept, f"{SEARCHPATH}=[{','.join(others)}]"]
    running, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None  # a search runs within Hydra
    try:
        with hydra.initialize_config_dir(str(home), version_base="1.3"):
            return hydra.compose(name, overrides, **options)
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(" ".join(str(error).split())) from error
    finally:
        GlobalHydra.instance().hydra = running


def compose_run(overrides: Sequence[str], run_dir: Path) -> "TrainConfig":
    """The checked configuration of ``train.py`` with these overrides, written to the run's folder as Hydra does.

    Raises:
        InputError: it cannot be composed, or is wrong.
    """
    composed = composed_of(as_hydra_takes([text.lstrip("+") for text in overrides]), "train", return_hydra_config=True)
    hydra_keys = OmegaConf.masked_copy(composed, ["hydra"])
    config = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
    task = [text for text in overrides if not text.startswith("hydra.")]
    for name, content in (("config", config), ("hydra", hydra_keys), ("overrides", OmegaConf.create(task))):
        write_text(run_dir / ".hydra" / f"{name}.yaml", OmegaConf.to_yaml(content))
    return resumable(checked(config, "train", config_folders(overrides)), run_dir)


def resumable(config: "TrainConfig", run_dir: Path) -> "TrainConfig":
    """A job's configuration, going on from the job's own last checkpoint where there is one."""
    if (run_dir / "checkpoints" / "last.ckpt").is_file():
        config.ckpt_path = "last"
    return config
