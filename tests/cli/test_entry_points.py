"""The scripts and the program call the same functions."""

import ast

import pytest

from fetal_seg.cli import entry_points
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "search", "report", "export"])
def test_a_script_is_the_same_function(name):
    imports = [node for node in ast.parse((ROOT / f"{name}.py").read_text()).body if isinstance(node, ast.ImportFrom)]
    assert [(node.module, node.names[0].name) for node in imports] == [(entry_points.__name__, name)]
