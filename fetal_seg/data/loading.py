"""From a choice of the configuration, or of a checkpoint, to records."""

import inspect
from pathlib import Path

import platformdirs

from fetal_seg.config.choices import Choice
from fetal_seg.config.registries import SOURCES
from fetal_seg.data.records import Record
from fetal_seg.errors import InputError


def load_records(choice: Choice, cache_dir: Path) -> list[Record]:
    """The annotated records of a data source, sorted by name.

    A source is a function of a module in ``fetal_seg.data.sources``, registered in `SOURCES`: its arguments are
    the keys that it needs, and ``cache_dir`` if it needs one; it returns records.

    Args:
        choice: the source's name and keys; keys of no interest to it (a checkpoint's data have more) are ignored.
        cache_dir: for extracted files.

    Raises:
        InputError: the source is unknown, a key that it needs has no value, or the data are missing or not as they
            should be.
    """
    load = SOURCES[choice.name]
    parameters = inspect.signature(load).parameters
    keys = {key: value for key, value in {**choice.keys, "cache_dir": cache_dir}.items() if key in parameters}
    missing = [
        f"data.{key}"
        for key, parameter in parameters.items()
        if parameter.default is parameter.empty and keys.get(key) in (None, "")
    ]
    if missing:
        raise InputError(f"data.name={choice.name}: {', '.join(missing)} must have a value; give it")
    records: list[Record] = load(**keys)
    return records


def cache_folder(cache_dir: str | None) -> Path:
    """The folder for extracted files and decoded images: the one given, or the user's own.

    Raises:
        InputError: it cannot be created.
    """
    path = Path(cache_dir).expanduser() if cache_dir else Path(platformdirs.user_cache_dir("fetal_seg"))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be created ({error.strerror}); give another folder as cache_dir") from error
    return path
