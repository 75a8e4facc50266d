"""Checks a composed configuration against its schema and gathers everything that is wrong with it."""

import difflib
import json
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from fetal_seg.config import training as recipe
from fetal_seg.config.commands import PredictConfig, TrainConfig
from fetal_seg.config.data import FromRunConfig, Source
from fetal_seg.config.model import Model
from fetal_seg.errors import InputError

GROUPS: dict[str, Any] = {
    "data": Source,
    "model": Model,
    "optim": recipe.Optim,
    "scheduler": recipe.Scheduler,
    "loss": recipe.Loss,
}

Plain = dict[str, Any]


def validate(plain: Plain, schema: type, conf: Path) -> Any:
    """The configuration as an instance of `schema`, its groups as instances of theirs.

    Args:
        plain: the composed configuration as nested dicts.
        schema: one of the dataclasses of ``config``.
        conf: folder of the YAML files, for groups that have no dataclass.

    Raises:
        InputError: naming every unknown key, wrong type, value out of range and senseless combination.
    """
    problems: list[str] = []
    problems += [f"{key} is missing; add {key}=..." for key in _missing(plain)]
    groups = {group: _group(group, plain[group], conf, problems) for group in GROUPS if group in plain}
    result = _build(schema, {**plain, **dict.fromkeys(groups)}, "", problems)
    for group, built in groups.items() if result is not None else ():
        setattr(result, group, built)
    if isinstance(result, TrainConfig) and None not in groups.values():
        problems += combinations(result)
    if isinstance(result, PredictConfig):
        problems += folders(result)
    if problems:
        raise InputError("; ".join(problems))
    return result


def combinations(config: TrainConfig) -> list[str]:
    """What is wrong with a training configuration whose single values are all right."""
    problems: list[str] = []
    data, model, trainer = config.data, config.model, config.trainer
    if isinstance(data, FromRunConfig):
        problems.append("data=from_run is for evaluate.py alone; take data=hc18, phantom or folder")
    elif data.split == "kfold" and data.fold >= data.folds:
        problems.append(f"data.fold={data.fold} is not below data.folds={data.folds}; folds count from 0")
    elif data.split != "kfold" and data.fold:
        problems.append(f"data.fold={data.fold} means nothing with data.split={data.split}; add data.split=kfold")
    depth = getattr(model, "depth", None)
    smallest = min(getattr(data, "height", 4096), getattr(data, "width", 4096))
    if isinstance(depth, int) and 2**depth > smallest:
        problems.append(
            f"model.depth={depth} halves the image {depth} times, but its side is {smallest} px; "
            f"take a depth of at most {smallest.bit_length() - 1}, or a larger data.height and data.width"
        )
    if getattr(model, "deep_supervision", False) and depth == 1:
        problems.append("model.deep_supervision=true needs levels to supervise; take model.depth=2 or more")
    if trainer.precision == "16-mixed" and trainer.accelerator == "cpu":
        problems.append("trainer.precision=16-mixed does not exist on a CPU; take bf16-mixed, 32-true or auto")
    if trainer.devices > 1 and trainer.strategy == "auto" and trainer.accelerator == "cpu":
        problems.append(f"trainer.devices={trainer.devices} on a CPU needs trainer=ddp; or take trainer.devices=1")
    if 0 < trainer.max_epochs <= trainer.early_stopping_patience:
        problems.append(
            f"trainer.early_stopping_patience={trainer.early_stopping_patience} cannot stop a training of "
            f"{trainer.max_epochs} epochs; take a smaller patience, or 0 for none"
        )
    return problems


def folders(config: PredictConfig) -> list[str]:
    """Whether results would lie among the images that are measured, where the next prediction would find them."""
    given = [config.input] if isinstance(config.input, str) else config.input
    output = Path(config.output).expanduser().resolve() if config.output else None
    if output and any(Path(one).expanduser().resolve() == output for one in given):
        return [f"output={config.output} is what is to be measured; give another folder, one in it for instance"]
    return []


def _group(group: str, given: Any, conf: Path, problems: list[str]) -> Any:
    """A group as an instance of the dataclass that its ``name`` names."""
    if not isinstance(given, dict):
        problems.append(f"{group}={given!r} is not a group; take one of {_choices(conf, group)}")
        return None
    known = {choice: member for member in _members(group) for choice in _names(member)}
    name = given.get("name")
    if name in known:
        return _build(known[name], given, f"{group}.", problems)
    file = conf / group / f"{name}.yaml"
    if not file.is_file():
        problems.append(f"{group}.name={name!r} is unknown; take one of {_choices(conf, group)}")
        return None
    return _like_yaml(yaml.safe_load(file.read_text(encoding="utf-8")), given, f"{group}.", problems)


def _members(group: str) -> tuple[Any, ...]:
    extra = (FromRunConfig,) if group == "data" else ()
    return get_args(GROUPS[group]) + extra


def _names(member: Any) -> tuple[str, ...]:
    return get_args(next(field.type for field in fields(member) if field.name == "name"))


def _choices(conf: Path, group: str) -> str:
    return ", ".join(sorted(file.stem for file in (conf / group).glob("*.yaml")))


def _build(schema: Any, given: Plain, prefix: str, problems: list[str]) -> Any:
    """An instance of `schema`; values that are wrong are noted in `problems` and replaced by their defaults."""
    adapter = TypeAdapter(schema)
    try:
        return adapter.validate_json(json.dumps(given))
    except ValidationError as error:
        kept = _copy(given)
        for detail in error.errors():
            location = _place(given, detail["loc"])
            location += detail["loc"][-1:] if detail["type"] == "missing" else ()
            problems.append(_sentence(schema, prefix, {**detail, "loc": location}))
            _remove(kept, location)
    try:
        return adapter.validate_json(json.dumps(kept))
    except ValidationError:  # what is wrong has no default
        return None


def _sentence(schema: Any, prefix: str, detail: Any) -> str:
    """What is wrong with one key, in words: value, rule, remedy."""
    path = [str(part) for part in detail["loc"]]
    key, value, kind = prefix + ".".join(path), detail["input"], detail["type"]
    if kind == "unexpected_keyword_argument":
        keys = _keys_at(schema, path[:-1])
        near = difflib.get_close_matches(path[-1], keys, 1)
        guess = f"there are {', '.join(keys)}" if keys else "leave it out"
        guess = f"did you mean {prefix}{'.'.join([*path[:-1], near[0]])}?" if near else guess
        return f"{key} is no key; {guess}"
    if kind == "missing":
        return f"{key} is missing; add {key}=..."
    if kind == "value_error":  # a sentence of our own
        return f"{key}: {detail['msg'].removeprefix('Value error, ')}"
    rule = detail["msg"].removeprefix("Input should be ")
    for formal, plain in (("greater than or equal to", "at least"), ("less than or equal to", "at most")):
        rule = rule.replace(formal, plain)
    rule = rule.replace("less than", "below").replace("greater than", "above")
    return f"{key}={value!r} is not allowed; give {rule}"


def _keys_at(schema: Any, path: list[str]) -> list[str]:
    for part in path:
        if not is_dataclass(schema):  # a mapping, whose keys are free
            return []
        schema = next(field.type for field in fields(schema) if field.name == part)
    return [field.name for field in fields(schema)] if is_dataclass(schema) else []


def _like_yaml(default: Plain, given: Plain, prefix: str, problems: list[str]) -> Any:
    """A group without a dataclass: it has the keys of its YAML file, with values of the same types."""
    for key, value in given.items():
        if key not in default:
            near = difflib.get_close_matches(key, default, 1)
            guess = f"did you mean {prefix}{near[0]}?" if near else f"there are {', '.join(default)}"
            problems.append(f"{prefix}{key} is no key; {guess}")
        elif default[key] is not None and not isinstance(value, _alike(default[key])):
            problems.append(f"{prefix}{key}={value!r} is not allowed; give a value like {default[key]!r}")
    return types.SimpleNamespace(**given)


def _alike(value: Any) -> tuple[type, ...]:
    return (int, float) if isinstance(value, float) else (type(value),)


def _copy(given: Any) -> Any:
    return {key: _copy(value) for key, value in given.items()} if isinstance(given, dict) else given


def _missing(given: Plain, prefix: str = "") -> list[str]:
    """Keys that a YAML file leaves to the user: they hold ``???``."""
    found: list[str] = []
    for key, value in given.items():
        found += _missing(value, f"{prefix}{key}.") if isinstance(value, dict) else []
        found += [f"{prefix}{key}"] if value == "???" else []
    return found


def _place(given: Any, location: tuple[Any, ...]) -> tuple[Any, ...]:
    """The keys of a location, without the names of the types that pydantic tried for a value."""
    keys: list[Any] = []
    for part in location:
        if isinstance(given, dict) and part in given:
            given = given[part]
            keys.append(part)
    return tuple(keys)


def _remove(given: Plain, location: tuple[Any, ...]) -> None:
    for part in location[:-1]:
        given = given.get(part, {})
    given.pop(location[-1], None)
