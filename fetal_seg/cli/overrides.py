"""Overrides of the command line, in Hydra's grammar: ``key=value``, ``group=choice``, ``key=a,b,c``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException

from fetal_seg.errors import InputError
from fetal_seg.files import printable


def _own_folder() -> Path:
    """The configuration files: in the package where a wheel was installed, else beside it in the repository."""
    package = Path(__file__).resolve().parents[1]
    return next(folder for folder in (package / "conf", package.parent / "conf") if folder.is_dir())


CONF = _own_folder()
SEVERAL = ("logger",)  # groups of which several choices can be taken at once: logger=[tensorboard,mlflow]
SEARCHPATH = "hydra.searchpath"  # further folders of configurations: a user's own


def config_folders(overrides: Sequence[str]) -> list[Path]:
    """The folders of configurations: a user's own, which come first, and ours.

    Raises:
        InputError: there is no such folder.
    """
    folders = []
    for text in overrides:
        given = _parsed(text).value() if text.startswith(f"{SEARCHPATH}=") else []
        own = [str(path) for path in given] if isinstance(given, list) else []
        folders += [Path(path.removeprefix("file://")).expanduser() for path in own if not path.startswith("pkg://")]
    for folder in folders:
        if not folder.is_dir():
            raise InputError(
                f"--config-dir={folder}: there is no such folder; give one like conf/, of your own choices"
            )
    return [*folders, CONF]


def naming(config_name: str | None, overrides: Sequence[str]) -> list[str]:
    """The arguments by which Hydra takes another file than the command's own."""
    if config_name is None:
        return []
    return ["--config-dir", str(config_folders(overrides)[0]), "--config-name", config_name]


def with_own_folder(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """Arguments in which ``--config-dir`` is an override as the others are, and what ``--config-name`` says."""
    kept, folders, name = [], [], None
    rest = iter(arguments)
    for argument in rest:
        flag, equals, value = argument.partition("=")
        if flag not in ("--config-dir", "-cd", "--config-name", "-cn"):
            kept.append(argument)
            continue
        value = value if equals else next(rest, "")
        if flag in ("--config-name", "-cn"):
            name = value.removesuffix(".yaml")
        else:
            folders.append(f"file://{Path(value).expanduser().resolve()}")
    if folders:
        kept.append(f"{SEARCHPATH}=[{','.join(folders)}]")
    return kept, name


def as_hydra_takes(arguments: Sequence[str]) -> list[str]:
    """Arguments with each plain value as "add or override", so that what is unknown is left to the schema.

    Hydra stops at the first key that it does not know; this way one message names all problems.

    Raises:
        InputError: naming each argument that is no override, and each group's choice that there is not.
    """
    problems: list[str] = []
    folders = config_folders(arguments)
    overrides = [_checked(_quoted(with_present_key(argument)), folders, problems) for argument in arguments]
    if problems:
        raise InputError("; ".join(problems))
    return overrides


def with_named_runs(arguments: Sequence[str]) -> list[str]:
    """Arguments of a report in which folders that stand without a key are those of ``runs=``.

    Raises:
        InputError: a folder is empty, as of a shell's variable that is not set, or ``runs=`` is given too.
    """
    folders = [text for text in arguments if not text.startswith(("-", "+", "~")) and _is_folder(text)]
    if not folders:
        return list(arguments)
    if "" in folders:
        raise InputError("a run's folder is empty; give its path")
    rest = [text for text in arguments if text not in folders]
    if any(text.lstrip("+").startswith("runs=") for text in rest):
        raise InputError(f"{folders[0]} stands beside runs=; give all runs in one way")
    quoted = ",".join("'{}'".format(folder.replace("'", "\\'")) for folder in folders)
    return [*rest, f"runs=[{quoted}]"]


def _is_folder(argument: str) -> bool:
    return "=" not in argument or Path(argument).is_dir()


PATHS = ("input", "output", "ckpt", "pixel_size_csv", "cache_dir", "data.root", "search.storage")  # keys of paths


def with_present_key(override: str) -> str:
    """The override with a key's present name where it has an older one."""
    return re.sub(r"^([+~]*)data\.augmentation(?=[.=])", r"\1augmentation", override)


def _quoted(argument: str) -> str:
    """The argument with quotes around a path that would mean something else to Hydra."""
    key, _, value = argument.partition("=")
    is_plain = not re.search(r"[\s,=()\[\]{}:'\"]", value)
    is_hydras = value.startswith(("[", "{", "'", '"')) and not Path(value).exists()
    if not value.startswith("~") and (key not in PATHS or is_plain or is_hydras):
        return argument
    escaped = value.replace("'", "\\'")
    return f"{key}='{escaped}'"


def _checked(argument: str, folders: Sequence[Path], problems: list[str]) -> str:
    if re.search("[\ud800-\udfff]", argument):  # what Python makes of such bytes
        problems.append(
            f"{printable(argument)} is not UTF-8, which a command line must be; rename it, or give the folder that "
            "it is in, whose files may have any name"
        )
        return argument
    try:
        parsed = _parsed(argument)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        problems.append(f"{argument!r} is no override ({reason}); write key=value, with quotes around odd characters")
        return argument
    key = parsed.key_or_group
    if key == "hydra":
        problems.append(f"{argument}: hydra has keys, such as hydra.run.dir, but no value of its own; leave it out")
    if is_of_hydra(argument) or key == SEARCHPATH:  # its groups have choices of plugins beside those of conf/hydra
        return argument
    if choices := sorted({file.stem for folder in folders for file in (folder / key).glob("*.yaml")}):
        values = parsed.sweep_iterator() if parsed.is_sweep_override() else [parsed.value()]
        taken = [value if isinstance(value, list) and key in SEVERAL else [value] for value in values]
        if [] in taken:
            problems.append(f"{argument} names nothing; take {key}=none")
        unknown = [name for names in taken for name in map(_plain, names) if name not in choices]
        if unknown and not parsed.is_delete():
            problems.append(f"{key}={', '.join(unknown)} is unknown; take one of {', '.join(choices)}")
        return argument
    return argument if parsed.is_delete() else f"++{argument.lstrip('+')}"


def _plain(value: Any) -> str:
    return value.text if isinstance(value, QuotedString) else str(value)


def is_of_hydra(override: str) -> bool:
    """Whether it sets one of Hydra's own keys, which say where and how jobs run; not where configurations are."""
    of_hydra = override.lstrip("+~").startswith(("hydra.", "hydra/", "hydra="))
    return of_hydra and not override.startswith(f"{SEARCHPATH}=")


def first_of(override: str) -> str:
    """The override itself, or of a sweep the one of its first job."""
    parsed = _parsed(override)
    if not parsed.is_sweep_override():
        return override
    return f"{parsed.get_key_element()}={next(parsed.sweep_string_iterator())}"


def value_of(override: str) -> Any:
    """The value that an override gives, as Hydra reads it: 2e-2 is a number, which YAML takes for text."""
    value = _parsed(override).value()
    return value.text if isinstance(value, QuotedString) else value


def is_sweep(override: str) -> bool:
    """Whether it gives a key several values."""
    return _parsed(override).is_sweep_override()


def jobs_of(overrides: Sequence[str]) -> list[list[str]]:
    """The overrides of each job of a sweep: all combinations, in Hydra's order."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    (jobs,) = BasicSweeper.split_arguments([_parsed(text) for text in overrides], None)
    return jobs


def last_value(overrides: Sequence[str], key: str) -> str | None:
    """The value that the last override of a key gives; None where it is not given, or null."""
    values = [text.split("=", 1)[1].strip("'\"") for text in overrides if text.lstrip("+").startswith(f"{key}=")]
    return values[-1] if values and values[-1] not in ("null", "") else None


def grid_overrides(grid: Mapping[str, Sequence[Any]], overrides: Sequence[str]) -> list[str]:
    """Overrides that sweep over a grid, but for the keys that `overrides` set.

    Raises:
        InputError: a key or value of the grid cannot be used.
    """
    keys = {_parsed(text).key_or_group for text in overrides}
    try:
        return as_hydra_takes(
            [f"{key}={','.join(map(_written, values))}" for key, values in grid.items() if key not in keys]
        )
    except InputError as error:
        raise InputError(f"sweep.grid: {error}") from error


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(override: str) -> Override:
    return OverridesParser.create().parse_override(override)
