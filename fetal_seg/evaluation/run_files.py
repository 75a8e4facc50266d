"""The JSON and YAML files of a run's folder, read again: what is damaged is told with its file and the remedy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from fetal_seg.errors import InputError, one_line
from fetal_seg.files import printable


def read_own_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file that this package wrote; empty where there is none.

    Raises:
        InputError: it is damaged.
    """
    return _keys(path, json.loads, "JSON")


def read_own_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file that Hydra wrote; empty where there is none.

    Raises:
        InputError: it is damaged.
    """
    return _keys(path, yaml.safe_load, "YAML")


def parsed_file(path: Path, parse: Callable[[str], Any], kind: str) -> Any:
    """What `parse` makes of a file; None where there is none.

    Raises:
        InputError: it can make nothing of it.
    """
    try:
        return parse(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{path} is no {kind} ({printable(one_line(error))}); restore it, or remove the folder it is in"
        ) from error


def _keys(path: Path, parse: Callable[[str], Any], kind: str) -> dict[str, Any]:
    content = parsed_file(path, parse, kind)
    if not isinstance(content, dict | None):
        raise InputError(f"{path} holds no keys; restore it, or remove the folder it is in")
    return {str(key): value for key, value in (content or {}).items()}
