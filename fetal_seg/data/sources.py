"""Data sources, by name: from plain keys to records."""

from pathlib import Path
from typing import Any

import platformdirs

from fetal_seg.data import folder, hc18
from fetal_seg.data.phantom import source as phantom
from fetal_seg.data.records import Record
from fetal_seg.errors import InputError

NAMES = ("hc18", "phantom", "folder")


def load_records(source: dict[str, Any], cache_dir: Path) -> list[Record]:
    """The annotated records of a data source, sorted by name.

    Args:
        source: ``name`` and the keys of that source; keys of no interest to it are ignored.
        cache_dir: for extracted files.

    Raises:
        InputError: the data are missing or not as they should be.
    """
    name, root = source["name"], Path(source["root"]).expanduser() if source.get("root") else None
    if name == "hc18" and root:
        return hc18.load(root, cache_dir, download=source["download"])
    if name == "phantom":
        return phantom.load(
            root,
            cache_dir,
            images=source["images"],
            test_images=source["test_images"],
            seed=source["phantom_seed"],
        )
    if name == "folder" and root:
        return folder.load(root)
    raise InputError(f"data.name={name} data.root={root}: take one of {', '.join(NAMES)}, and say where its files are")


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
