"""The examples in docstrings are true."""

import doctest
import importlib

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "fetal_seg"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
SHOWN = {  # modules whose main functions begin with an example
    "fetal_seg.config.choices",
    "fetal_seg.data.splits",
    "fetal_seg.evaluation.clustered_statistics",
    "fetal_seg.evaluation.metrics",
    "fetal_seg.geometry.ellipse",
    "fetal_seg.geometry.ellipse_fit",
    "fetal_seg.geometry.letterbox",
    "fetal_seg.geometry.spacing",
    "fetal_seg.inference.predictor",
    "fetal_seg.measurement.biometry",
    "fetal_seg.measurement.conformal",
}


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_are_true(module):
    failed, tried = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert tried
    assert not failed


def test_the_modules_that_users_call_have_examples():
    assert set(MODULES) >= SHOWN
