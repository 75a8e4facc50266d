"""Checks a composed configuration against its schema and gathers everything that is wrong with it."""

import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from fetal_seg.cli.combinations import problems_of
from fetal_seg.cli.foreign_keys import foreign_remedy
from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.data import FromRunConfig
from fetal_seg.config.registries import GREY_AUGMENTATIONS, LOSSES, NETWORKS, OPTIMIZERS, SCHEDULERS, SOURCES
from fetal_seg.config.types import by_name
from fetal_seg.errors import InputError

# Groups whose choices are registered; evaluate.py knows one source more, which is none
GROUPS = {
    "data": SOURCES,
    "model": NETWORKS,
    "optim": OPTIMIZERS,
    "scheduler": SCHEDULERS,
    "loss": LOSSES,
}

RULES = {  # pydantic's words and ours; the longer ones first
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "less than": "below",
    "greater than": "above",
}

Plain = dict[str, Any]
Schema = TypeVar("Schema")


def validate(plain: Plain, schema: type[Schema], folders: Sequence[Path]) -> Schema:
    """The configuration as an instance of `schema`, its groups as instances of theirs.

    Args:
        plain: the composed configuration as nested dicts.
        folders: of the YAML files, for choices without a schema; the first that has one counts.

    Raises:
        InputError: naming every unknown key, wrong type, value out of range and senseless combination.
    """
    problems = [f"{key} is missing; add {key}=..." for key in _missing(plain)]
    config = deepcopy(plain)
    refused = [group for group in GROUPS if group in config and not _prepare(group, config, schema, folders, problems)]
    for group in refused:  # it is among the problems; its default stands in, so that the rest is checked too
        del config[group]
    checked = _build(schema, config, problems)
    problems += problems_of(checked, groups_stand=not refused)
    if problems or checked is None:
        raise InputError("; ".join(problems))
    return checked


def _prepare(group: str, config: Plain, schema: Any, folders: Sequence[Path], problems: list[str]) -> bool:
    """See that a group's choice is known; put the keys that only its YAML file has where its schema has them.

    Returns:
        Whether it can be checked further.
    """
    choice, registry = config[group], GROUPS[group]
    if not isinstance(choice, dict):
        names = sorted({file.stem for folder in folders for file in (folder / group).glob("*.yaml")})
        problems.append(f"{group}={choice!r} is not a group; take one of {', '.join(names)}")
        return False
    members = get_args(get_type_hints(schema)[group])  # the last one is for choices that have none of their own
    name, named = choice.get("name"), by_name(members)
    if name in named and (name in registry.names() or named[name] is FromRunConfig):
        return True
    if name == FromRunConfig.name:
        problems.append("data=from_run is for evaluate alone; take data=hc18, phantom or folder")
        return False
    try:
        registry.check(name)
    except InputError as error:
        problems.append(f"{group}.name: {error}")
        return False
    files = [file for folder in folders if (file := folder / group / f"{name}.yaml").is_file()]
    if not files:
        problems.append(f"{group}.name={name!r} has no file {group}/{name}.yaml, which says what keys it takes; add it")
        return False
    common = {field.name for field in fields(members[-1])}
    keys = {key: choice.pop(key) for key in list(choice) if key not in common}
    problems += _unlike(yaml.safe_load(files[0].read_text(encoding="utf-8")), keys, group)
    choice["keys"] = keys
    return True


def _build(schema: type[Schema], config: Plain, problems: list[str]) -> Schema | None:
    """An instance of `schema`; values that are wrong are noted in `problems` and replaced by their defaults."""
    adapter = TypeAdapter(schema)
    try:
        return adapter.validate_json(json.dumps(config))
    except ValidationError as error:
        valid = deepcopy(config)
        for detail in error.errors():
            path = _path(config, detail["loc"])
            path += detail["loc"][-1:] if detail["type"] == "missing" else ()
            problems.append(_sentence(schema, config, {**detail, "loc": path}))
            *parents, key = path
            functools.reduce(lambda keys, parent: keys.get(parent, {}), parents, valid).pop(key, None)
    try:
        return adapter.validate_json(json.dumps(valid))
    except ValidationError:  # what is wrong has no default
        return None


def _sentence(schema: Any, config: Plain, detail: Mapping[str, Any]) -> str:
    """What is wrong with one key, in words: value, rule, remedy."""
    path = [str(part) for part in detail["loc"]]
    key, value, kind = ".".join(path), detail["input"], detail["type"]
    if kind == "unexpected_keyword_argument":
        if len(path) > 1 and path[-1] in get_type_hints(schema):  # as augmentation, which was a part of the data
            return f"{key} is no key; did you mean {path[-1]}?"
        if (remedy := foreign_remedy(path)) is not None:
            return f"{key} is no key; {remedy}"
        return f"{key} is no key; {_guess(path, _keys_at(schema, config, path[:-1]))}"
    if kind == "missing":
        return f"{key} is missing; add {key}=..."
    if kind == "value_error":  # a sentence of our own
        return f"{key}: {detail['msg'].removeprefix('Value error, ')}"
    rule = detail["msg"].removeprefix("Input should be ")
    for formal, plain in RULES.items():
        rule = rule.replace(formal, plain)
    return f"{key}={value!r} is not allowed; give {rule}"


def _guess(path: list[str], keys: list[str]) -> str:
    """What a key that there is not may have been meant to be."""
    near = difflib.get_close_matches(path[-1], keys, 1)
    if near:
        return f"did you mean {'.'.join([*path[:-1], near[0]])}?"
    return f"there are {', '.join(keys)}" if keys else "leave it out"


def _keys_at(schema: Any, config: Any, path: list[str]) -> list[str]:
    """The keys that a schema has below a path; of a group those of the choice that is taken."""
    for key in path:
        config = config.get(key, {}) if isinstance(config, dict) else {}
        schema = get_type_hints(schema).get(key) if is_dataclass(schema) else None
        members = get_args(schema)
        if members and all(map(is_dataclass, members)):
            schema = by_name(members).get(config.get("name"), members[-1])
    if not is_dataclass(schema):  # a mapping, whose keys are free
        return []
    keys = [field.name for field in fields(schema)]
    return [key for key in keys if key != "grey"] + GREY_AUGMENTATIONS.names() if schema is Augmentation else keys


def _unlike(default: Plain, keys: Plain, group: str) -> list[str]:
    """What is wrong with keys without a schema, which are to be those of their YAML file, with values of its types."""
    problems = []
    for key, value in keys.items():
        if key not in default:
            problems.append(f"{group}.{key} is no key; {_guess([group, key], list(default))}")
        elif default[key] is not None and not isinstance(value, _alike(default[key])):
            problems.append(f"{group}.{key}={value!r} is not allowed; give a value like {default[key]!r}")
    return problems


def _alike(value: Any) -> tuple[type, ...]:
    return (int, float) if isinstance(value, float) else (type(value),)


def _missing(config: Plain, prefix: str = "") -> list[str]:
    """Keys that a YAML file leaves to the user: they hold ``???``."""
    missing: list[str] = []
    for key, value in config.items():
        missing += _missing(value, f"{prefix}{key}.") if isinstance(value, dict) else []
        missing += [f"{prefix}{key}"] if value == "???" else []
    return missing


def _path(config: Any, location: tuple[Any, ...]) -> tuple[Any, ...]:
    """The keys of a location, without the names of the types that pydantic tried for a value."""
    path: list[Any] = []
    for part in location:
        if isinstance(config, dict) and part in config:
            config = config[part]
            path.append(part)
    return tuple(path)
