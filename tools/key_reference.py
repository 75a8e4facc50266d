"""Prints the reference of the configuration as Markdown: each key with what it takes, its default and its meaning.

python -m tools.key_reference

What a key takes and its default are the schema's; its meaning is the comment of its YAML file in ``conf/``, else what
the schema's docstring says of it. docs/reference/configuration.md shows it.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from inspect import cleandoc
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import yaml
from pydantic import TypeAdapter

from fetal_seg.cli.overrides import CONF
from fetal_seg.cli.validation import GROUPS
from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.commands import SCHEMAS, TrainConfig
from fetal_seg.config.launcher import LauncherConfig
from fetal_seg.config.registries import GREY_AUGMENTATIONS
from fetal_seg.config.types import Probability, by_name

OF_THE_PROGRAM = ("name", "keys", "grey")  # fields that are no keys: the choice itself, and what its YAML file adds
WORDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "string": "text",
    "null": "null",
}
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


@dataclass(frozen=True)
class Key:
    """A key as a row of a table; all four are Markdown."""

    name: str
    takes: str
    default: str
    meaning: str


@dataclass(frozen=True)
class YamlFile:
    """What a file of ``conf/`` tells a reader.

    Attributes:
        summary: the comment that it begins with.
        values: of the keys, raw, by their dotted names.
        comments: beside the keys, by their dotted names.
    """

    summary: str
    values: Mapping[str, Any]
    comments: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "YamlFile":
        """An empty one where there is no such file."""
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        lines = text.splitlines()
        nodes = dict(_nodes(yaml.compose(text)))
        values = {name: yaml.safe_load(yaml.serialize(node)) for name, (_, node) in nodes.items()}
        return cls(_summary(lines), values, {name: _comment(lines, line) for name, (line, _) in nodes.items()})


def _nodes(node: yaml.Node | None, prefix: str = "") -> Iterator[tuple[str, tuple[int, yaml.Node]]]:
    """Dotted name, line and value of each key below a mapping."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        name = f"{prefix}{key.value}"
        yield name, (key.start_mark.line, value)
        yield from _nodes(value, f"{name}.")


def _summary(lines: list[str]) -> str:
    """The sentences at the top of a file, without the commands that they explain."""
    top = itertools.takewhile(lambda line: line.startswith("#"), lines)
    told = [line for line in top if not line.startswith(("# @", "#   "))]
    return re.sub(r"^python [^:]*(: |$)", "", " ".join(line.removeprefix("# ") for line in told)).removesuffix(":")


def _comment(lines: list[str], line: int) -> str:
    """The comment beside a key, with the lines of it that follow."""
    found = [lines[line].partition(" #")[2].strip().removeprefix("... ")]
    for following in lines[line + 1 :]:
        if not (found[0] and following.startswith(" ") and following.lstrip().startswith("#")):
            break
        found.append(following.lstrip("# "))
    return " ".join(found)


def reference() -> str:
    """The whole reference: the keys of each command, then those of each group, then the experiments."""
    parts = [_section(f"## {command}", _command(command)) for command in SCHEMAS]
    parts += [part for group in groups() for part in _group(group)]
    parts += _shared("hydra/launcher", LauncherConfig, "slurm")
    experiments = sorted((CONF / "experiment").glob("*.yaml"))
    rows = [f"| `experiment={file.stem}` | {_escaped(YamlFile.read(file).summary)} |" for file in experiments]
    return "\n\n".join([*parts, "## experiment", "\n".join(["| choice | what |", "| --- | --- |", *rows])]) + "\n"


def groups() -> list[str]:
    """The groups of ``train.py`` that have keys."""
    return [name for name in get_type_hints(TrainConfig) if (CONF / name).is_dir()]


def _command(command: str) -> list[Key]:
    """The keys of a command that are in no group; of ``search.py`` those that ``train.py`` has not, or otherwise."""
    keys = keys_of(SCHEMAS[command], YamlFile.read(CONF / f"{command}.yaml"))
    known = set(_command("train")) if issubclass(SCHEMAS[command], TrainConfig) and command != "train" else set()
    return [key for key in keys if (key.name, key.default) not in {(old.name, old.default) for old in known}]


def _group(group: str) -> Iterator[str]:
    hint = get_type_hints(TrainConfig)[group]
    files = {file.stem: YamlFile.read(file) for file in sorted((CONF / group).glob("*.yaml"))}
    if is_dataclass(hint):  # its choices are values for the same keys
        yield from _shared(group, hint, {key: choice for entry in _defaults() for key, choice in entry.items()}[group])
        return
    choices = {name: schema for command in SCHEMAS.values() for name, schema in _choices(command, group).items()}
    tables = {name: keys_of(schema, files[name], f"{group}.") for name, schema in choices.items()}
    trained = [set(tables[name]) for name in _choices(TrainConfig, group)]
    common = [key for key in next(iter(tables.values())) if all(key in keys for keys in trained)]
    yield _section(f"## {group}", common, "All choices of `train.py` have these keys." if common else "")
    for name, keys in tables.items():
        summary = files[name].summary or (GROUPS[group][name].__doc__ or "").splitlines()[0]
        yield _section(f"### {group}={name}", [key for key in keys if key not in common], summary)


def _shared(group: str, schema: Any, main: str) -> Iterator[str]:
    """A group whose choices, of which `main` is the one with all keys, are values for the keys of one schema."""
    files = {file.stem: YamlFile.read(file) for file in sorted((CONF / group).glob("*.yaml"))}
    told = YamlFile("", {}, {})
    for file in (*files.values(), files[main]):  # this one tells most, and has the last word
        told = YamlFile("", {**told.values, **file.values}, {**told.comments, **file.comments})
    above, _, own = group.rpartition("/")
    keys = keys_of(schema, told, f"{own}.")
    yield _section(
        f"## {group}", [replace(key, name=key.name.replace("`", f"`{above}.", 1)) for key in keys] if above else keys
    )
    rows = [f"| `{group}={name}` | {_escaped(file.summary)} | {_set(file)} |" for name, file in files.items()]
    yield "\n".join(["| choice | what | sets |", "| --- | --- | --- |", *rows])


def _choices(command: Any, group: str) -> dict[str, Any]:
    """The schemas of a group by the names that they are for; none where the command has no such group."""
    return by_name(get_args(get_type_hints(command).get(group)))


def _defaults() -> list[dict[str, str]]:
    content = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
    return [entry for entry in content["defaults"] if isinstance(entry, dict)]


def _set(file: YamlFile) -> str:
    leaves = {name: value for name, value in file.values.items() if not (value and isinstance(value, dict))}
    values = {name: value for name, value in leaves.items() if name != "defaults"}
    if len(values) > 15:
        return "all of the above"
    return ", ".join(f"`{name}={_plain(value)}`" for name, value in values.items())


def keys_of(schema: Any, file: YamlFile, prefix: str = "") -> list[Key]:
    """The keys of a schema and of what is nested in it, without those of groups."""
    hints, said = get_type_hints(schema, include_extras=True), _attributes(schema)
    found: list[Key] = []
    for field in fields(schema):
        name, hint = f"{prefix}{field.name}", hints[field.name]
        if field.name in OF_THE_PROGRAM or (not prefix and (CONF / field.name).is_dir()):
            continue
        nested = [part for part in (hint, *get_args(hint)) if is_dataclass(part)]
        if nested and get_args(hint)[1:] in ((), (NoneType,)):  # also what may be left out
            found += keys_of(nested[0], file, f"{name}.")
            continue
        at = name if name in file.comments else name.partition(".")[2]  # files of groups have not the group's name
        meaning = file.comments.get(at) or said.get(field.name, "").removesuffix(".").replace("``", "`")
        found.append(Key(f"`{name}`", takes(hint), _default(field, file.values.get(at)), _escaped(meaning)))
    for grey in GREY_AUGMENTATIONS.names() if schema is Augmentation else ():
        found.append(Key(f"`{prefix}{grey}`", takes(Probability), "`0.0`", _escaped(file.comments.get(grey, ""))))
    return found


def _attributes(schema: Any) -> dict[str, str]:
    """What the docstrings of a schema and of its bases say of its attributes."""
    said: dict[str, str] = {}
    for base in reversed(schema.__mro__):
        _, _, section = cleandoc(base.__doc__ or "").partition("Attributes:\n")
        for names, text in re.findall(r"^    (\w[\w, ]*): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
            said |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return said


def _default(field: Field[Any], raw: Any) -> str:
    value = field.default_factory() if field.default_factory is not MISSING else field.default
    if value is MISSING or value == "???":
        return "must be given"
    environment = re.fullmatch(r"\$\{oc\.env:(\w+),(.*)}", str(raw))
    return f"`${environment[1]}`, else `{environment[2].strip(chr(34))}`" if environment else f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    """A value as a command line has it."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n").removesuffix("\n...")


def takes(hint: Any) -> str:
    """What a key of this type takes, in words, with its range."""
    schema = TypeAdapter(hint).json_schema()
    return _escaped(_words(schema, schema.get("$defs", {})))


def _words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _words(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(_words(choice, definitions) for choice in schema["anyOf"]))
    if names := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{name}`" for name in names)
    if "properties" in schema:
        return f"{{{', '.join(schema['properties'])}}}"
    if inner := schema.get("items") or schema.get("additionalProperties"):
        return f"{'list of' if 'items' in schema else 'by key:'} {_words(inner, definitions)}"
    return ", ".join([WORDS[schema["type"]], *_range(schema)])


def _range(schema: Mapping[str, Any]) -> list[str]:
    if "minimum" in schema and "maximum" in schema:
        return [f"{schema['minimum']:g} to {schema['maximum']:g}"]
    return [f"{words} {schema[bound]:.10g}" for bound, words in BOUNDS.items() if bound in schema]


def _section(heading: str, keys: list[Key], text: str = "") -> str:
    rows = [f"| {key.name} | {key.takes} | {key.default} | {key.meaning} |" for key in keys]
    table = "\n".join(["| key | takes | default | meaning |", "| --- | --- | --- | --- |", *rows]) if rows else ""
    return "\n\n".join(part for part in (heading, text, table) if part)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(reference())
