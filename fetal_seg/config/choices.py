"""What a configuration group chooses: a name and its keys; and the registries that say what the names stand for."""

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from fetal_seg.errors import InputError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Choice:
    """A choice as plain data, so that it can be kept in a checkpoint.

    Attributes:
        name: what a `Registry` knows it by.
        keys: keyword arguments of what it names: numbers, strings, True and False, None, or lists and dicts of these.
    """

    name: str
    keys: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The name beside the keys, as YAML files have them."""
        return {"name": self.name, **self.keys}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Choice":
        """The reverse of `to_dict`.

        Raises:
            ValueError: there is no name.
        """
        name = content.get("name")
        if not isinstance(name, str):
            raise ValueError(f"name={name!r}; it must be text")
        return cls(name, {key: value for key, value in content.items() if key != "name"})


class Registry:
    """Functions or classes of one kind, by the name that a configuration calls them by.

    A function is registered where it is defined, by a decorator: ``@LOSSES.register("focal")``. Names are read from
    the source of the modules, which are imported when something of them is asked for: a configuration is checked
    without importing PyTorch.

    Args:
        kind: what they are, for sentences.
        source: dotted name of the module that defines them, or of the package whose modules do.

    >>> losses = Registry("loss", "fetal_seg.training.losses")
    >>> losses.check("dice")
    >>> losses.check("dyce")
    Traceback (most recent call last):
    fetal_seg.errors.InputError: the loss 'dyce' is unknown; take one of ...
    """

    def __init__(self, kind: str, source: str) -> None:
        self.kind, self._source = kind, source
        self._registered: dict[str, Any] = {}

    def register(self, name: str) -> Callable[[Item], Item]:
        """Decorator: what follows is called `name`."""

        def keep(item: Item) -> Item:
            self._registered[name] = item
            return item

        return keep

    def names(self) -> list[str]:
        """All names, in the order of their modules, and in a module as they stand there."""
        return list(self._modules)

    def check(self, name: Any) -> None:
        """See that a name is known.

        Raises:
            InputError: it is not; the sentence lists those that are.
        """
        if name not in (names := self.names()):
            raise InputError(f"the {self.kind} {name!r} is unknown; take one of {', '.join(sorted(names))}")

    def __getitem__(self, name: str) -> Any:
        """What a name stands for; its module is imported if need be. Raises as `check` does."""
        if name not in self._registered:
            self.check(name)
            importlib.import_module(self._modules[name])
        return self._registered[name]

    @cached_property
    def _modules(self) -> dict[str, str]:
        """The module of each name; the sources are read once in a process."""
        return {name: module for module, file in _sources(self._source) for name in _registered_in(file)}


def _sources(name: str) -> Iterator[tuple[str, Path]]:
    """Dotted name and file of a module, or of each module of a package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    if spec.submodule_search_locations is None:
        yield name, Path(spec.origin)
        return
    for info in pkgutil.iter_modules(spec.submodule_search_locations, f"{name}."):
        module = info.module_finder.find_spec(info.name, None)
        if module is not None and module.origin is not None:
            yield info.name, Path(module.origin)


def _registered_in(file: Path) -> Iterator[str]:
    source = file.read_text(encoding="utf-8")
    if ".register(" not in source:
        return
    for node in ast.parse(source).body:
        for decorator in getattr(node, "decorator_list", ()):
            match decorator:
                case ast.Call(func=ast.Attribute(attr="register"), args=[ast.Constant(value=str(name))]):
                    yield name
