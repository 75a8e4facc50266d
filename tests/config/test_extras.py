"""What the base installation lacks is told before it is missed."""

import re
import sys
import tomllib

import pytest

from fetal_seg.config.extras import TRAINING, check_installed, check_training, is_installed
from fetal_seg.errors import InputError
from tests.conftest import ROOT


def test_the_modules_are_those_of_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = [re.split("[<>=]", entry)[0].replace("-", "_") for entry in project["optional-dependencies"]["train"]]
    assert sorted(module.rpartition(".")[2] for module in TRAINING) == sorted(packages)


def test_a_module_is_looked_for_and_not_imported(monkeypatch):
    assert is_installed("xml.dom.minidom")
    assert not is_installed("no_such_module")
    assert not is_installed("no_such_package.module")
    monkeypatch.setitem(sys.modules, "json", None)
    assert not is_installed("json")


def test_what_is_missing_is_one_sentence(monkeypatch):
    monkeypatch.setattr("fetal_seg.config.extras.is_installed", lambda module: module not in ("torch", "optuna"))
    with pytest.raises(InputError, match=r"^search needs torch, optuna, not installed here: pip install 'fetal_seg\["):
        check_training("search")
    check_training("search", ("lightning",))


def test_another_extra_is_named():
    with pytest.raises(InputError, match=r"^a needs no_such_module, not installed here: pip install 'fetal_seg\[slurm"):
        check_installed("a", ("json", "no_such_module"), "slurm")
