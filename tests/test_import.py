"""Importing the library changes nothing of its host."""

import subprocess
import sys

import pytest

CODE = """
import importlib, logging, os, pkgutil, sys, warnings
LOGGERS = [logging.getLogger(name) for name in (None, *"PIL pydicom lightning lightning.pytorch optuna".split())]

def import_all():
    import fetal_seg
    for module in pkgutil.walk_packages(fetal_seg.__path__, "fetal_seg."):
        importlib.import_module(module.name)

def state():
    return {
        "warnings": [str(rule) for rule in warnings.filters],
        "environment": dict(os.environ),
        "loggers": [(log.name, log.level, log.propagate, list(map(str, log.handlers))) for log in LOGGERS],
    }[sys.argv[1]]

environment = dict(os.environ)
import_all()  # once for what the libraries beneath do, which counts for nothing here
for name in [name for name in sys.modules if name.split(".")[0] == "fetal_seg"]:
    del sys.modules[name]
warnings.resetwarnings()
os.environ.clear()
os.environ.update(environment)
for log in LOGGERS:
    log.setLevel(logging.INFO)
    log.propagate, log.handlers = True, [logging.NullHandler()]
before = state()
import_all()
assert state() == before, [item for item in state() if item not in before]
"""


# "environment": NO_ALBUMENTATIONS_UPDATE is of data/augmentation/augmenter.py
@pytest.mark.parametrize("what", ["warnings", "environment", "loggers"])
def test_importing_all_modules_changes_nothing_of_the_process(what):
    done = subprocess.run([sys.executable, "-c", CODE, what], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["fetal_seg", "fetal_seg.images.reader", "fetal_seg.data.loading"])
def test_torch_is_not_imported_before_it_is_needed(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
