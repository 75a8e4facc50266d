"""The folder of a training: free, or that of a run that goes on; one process at a time works in it.

``resume=RUN`` reads the run's own configuration, which Hydra left in its folder. Beside it may be given what changes no
bit of the result, and how long it trains.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from fetal_seg.cli.overrides import value_of
from fetal_seg.config.processes import is_first_process
from fetal_seg.errors import InputError, enumerate_names, one_line
from fetal_seg.files import LOCK, read_own_csv

CHECKPOINT = Path("checkpoints", "last.ckpt")
CONFIG = Path(".hydra", "config.yaml")
MAY_CHANGE = (  # of a run that goes on
    *("trainer.max_epochs", "trainer.threads", "trainer.accelerator", "trainer.devices", "trainer.strategy"),
    "trainer.num_nodes",
    *("trainer.progress_bar", "trainer.profiler", "trainer.log_images", "data.workers", "data.root", "data.cache_dir"),
    *("evaluate", "ckpt_path", "resume", "sweep.resume", "logger.wandb.mode"),
)
REMEDY = "give the folder of a run, such as outputs/train/DATE_TIME"
OURS = (".hydra", LOCK, "train.log")  # what a folder may hold that nothing was trained in


@dataclass(frozen=True)
class ResumedRun:
    """A run to go on with.

    Attributes:
        folder: of the run.
        config: its configuration, as nested dicts, with what may change as it was given.
        logging: how it logs, as nested dicts for ``logging``; none where Hydra's part of it is gone.
    """

    folder: Path
    config: dict[str, Any]
    logging: dict[str, Any]


def hold(folder: Path) -> FileLock | None:
    """The lock of a run's folder, as long as the process lives; None where another process of this training has it.

    Raises:
        InputError: another process has it, or the folder cannot be written.
    """
    if not is_first_process():
        return None
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise taken(folder) from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); take another folder") from error
    return lock


def taken(folder: Path) -> InputError:
    """What to say of a folder that another process works in."""
    return InputError(f"another process works in {folder}; wait for it, or take another folder")


def check_free(folder: Path) -> None:
    """See that a new training would not overwrite anything.

    Raises:
        InputError: the folder holds a run with a checkpoint, or other files.
    """
    entries = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if (folder / CHECKPOINT).is_file():
        status = status_of(folder)
        raise InputError(
            f"hydra.run.dir={folder} holds a run ({status}); go on with it by resume={folder}, or take another folder"
        )
    if (folder / CONFIG).is_file() or (folder / "run.json").is_file():  # a run that came to no checkpoint
        return
    if foreign := sorted(entries - set(OURS)):
        raise InputError(
            f"hydra.run.dir={folder} holds other files ({enumerate_names(foreign, most=3)}); take an empty folder, or "
            "a new one"
        )


def read_resumed(folder: Path, changes: Mapping[str, Any]) -> ResumedRun:
    """The run in a folder, to go on with.

    Args:
        changes: values by dotted key, as they were given.

    Raises:
        InputError: there is no such run, it has no checkpoint, or a change is not of those that may be made.
    """
    config = stored_config(folder)
    if not (folder / CHECKPOINT).is_file():
        raise InputError(
            f"{folder} holds no checkpoint ({CHECKPOINT}): the run ended before its first one; start it again with "
            f"its own keys and hydra.run.dir={folder}"
        )
    _check_content(folder, changes.get("trainer.max_epochs"))
    flat = dict(_flat(config))
    check_changes(flat, {**flat, **changes}, f"resume={folder}")
    for key, value in changes.items():
        *parents, name = key.split(".")
        place = config
        for parent in parents:
            place = place[parent]
        place[name] = value
    return ResumedRun(folder, {**config, "ckpt_path": "last"}, _logging(folder))


def _check_content(folder: Path, max_epochs: object) -> None:
    """See that what a run left besides its checkpoints can be read, and that it is not asked for less than it has."""
    record = folder / "run.json"
    try:
        content = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        if not isinstance(content, dict):
            raise ValueError("it holds no keys")
        rows = read_own_csv(table, ("epoch",)) if (table := folder / "metrics.csv").exists() else []
    except (OSError, ValueError) as error:  # an InputError is one
        told = str(error) if isinstance(error, InputError) else f"{record} is damaged ({one_line(error)}); remove it"
        raise InputError(f"resume={folder}: {told}") from error
    if isinstance(max_epochs, int) and max_epochs < len(rows):
        raise InputError(
            f"resume={folder} trainer.max_epochs={max_epochs}: the run has had {len(rows)} epochs already; give more"
        )


def _logging(folder: Path) -> dict[str, Any]:
    """What Hydra's part of a run's configuration says of its log, which goes on in the run's folder."""
    content = _hydra_part(folder).get("job_logging")
    if not isinstance(content, dict):
        return {}
    for handler in content.get("handlers", {}).values():
        if isinstance(handler, dict) and "filename" in handler:
            handler["filename"] = str(folder.resolve() / "train.log")
    return content


def command_of(folder: Path) -> str | None:
    """The command whose results a folder holds; None where it holds none that are known."""
    with suppress(OSError):
        if (folder / "sweep.json").exists() or (folder / "run.json").exists():
            return "train"
    job = _hydra_part(folder).get("job")
    return str(job["name"]) if isinstance(job, dict) and "name" in job else None


def _hydra_part(folder: Path) -> dict[str, Any]:
    """Hydra's own keys, as it left them in a folder; none where they cannot be read."""
    with suppress(OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        content = yaml.safe_load((folder / ".hydra" / "hydra.yaml").read_text(encoding="utf-8"))["hydra"]
        if isinstance(content, dict):
            return content
    return {}


def stored_config(folder: Path) -> dict[str, Any]:
    """The configuration that a run was started with, as nested dicts.

    Raises:
        InputError: there is no such folder, or it holds no run.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder; give the folder of a run, such as outputs/train/DATE_TIME"
        )
    try:
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{folder} holds no run ({CONFIG} cannot be read); {REMEDY}") from error
    if not isinstance(config, dict) or "trainer" not in config:
        raise InputError(f"{folder} is no folder of a training ({CONFIG} is of another command); give that of a run")
    return config


def check_resumed(folder: Path, config: Mapping[str, Any], named: str) -> None:
    """See that a configuration is that of the run that it is to go on with, but for what may change.

    Args:
        folder: of that run.
        named: how the user named it.

    Raises:
        InputError: it is not.
    """
    check_changes(dict(_flat(stored_config(folder))), dict(_flat(config)), named)


def check_changes(before: Mapping[str, Any], now: Mapping[str, Any], named: str) -> None:
    """Refuse what differs from a run that goes on and may not, by name; keys that it did not know are let through."""
    wrong = [
        f"{key}={now[key]} (was {before[key]})"
        for key in before
        if key in now and key not in MAY_CHANGE and not _is_same(before[key], now[key])
    ]
    wrong += [
        f"{key}={now[key]} (is no key of that run)" for key in now if key not in before and named.startswith("resume=")
    ]
    if wrong:
        raise InputError(
            f"{named}: a run goes on as it began, so that {enumerate_names(wrong)} cannot be; leave them out, or start "
            f"a new run from its weights: model.init=CHECKPOINT; what may change is {', '.join(MAY_CHANGE[:9])}"
        )


def _is_same(before: Any, now: Any) -> bool:
    """Whether two values are equal; one that stands for the environment's is whatever it is."""
    is_open = any(isinstance(value, str) and "${" in value for value in (before, now))
    return bool(is_open or before == now)


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def status_of(folder: Path) -> str:
    """How far the run in a folder says that it came; ``cut off`` where it says nothing."""
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"])
    return "cut off"


def changes_of(overrides: Sequence[str]) -> dict[str, Any]:
    """Values by dotted key, of overrides in Hydra's form.

    Raises:
        InputError: an override chooses a group, or takes a key away.
    """
    changes: dict[str, Any] = {}
    for text in overrides:
        key, equals, _ = text.lstrip("+").partition("=")
        if not equals or key.startswith("~") or ("." not in key and key not in MAY_CHANGE and key != "seed"):
            raise InputError(
                f"{text.lstrip('+')} cannot be given beside resume=; a run goes on as it began; leave it out"
            )
        changes[key] = value_of(text)
    return changes
