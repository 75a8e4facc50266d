"""The test of a module is found without a search: ``tests/<package>/test_<module>.py``."""

import ast
from pathlib import PurePath

from tests.conftest import ROOT

OF_NO_MODULE = {
    "benchmarks/test_fuzz.py",
    "benchmarks/test_gpu.py",  # of the folder benchmarks/
    "benchmarks/test_kills.py",
    "benchmarks/test_runtimes.py",
    "benchmarks/test_steps.py",
    "cluster/test_slurm.py",  # sweeps by a real SLURM
    "cluster/test_scripts.py",  # batch scripts by it
    "commands/test_bad_input.py",  # every command with bad data and bad checkpoints
    "commands/test_unlabelled.py",  # images without a mask, in every command
    "commands/predict/test_odd_folders.py",  # predict.py in folders that are not as they should be
    "config/test_schemas.py",  # all schemas against the YAML files and the constructors
    "data/sources/test_hc18_real_data.py",  # HC18 itself, where it is there
    "models/networks/test_networks.py",  # what every network is held to
    "docs/test_notebooks.py",  # of the folder docs/
    "docs/test_site.py",
    "studies/test_pseudo_labels.py",  # of the folder studies/
    "test_dockerfile.py",  # the Dockerfile, by what it says and does
    "test_docstrings.py",  # the examples in all modules
    "test_documents.py",  # what the documents say
    "test_extending.py",  # what users add
    "test_import.py",  # the package as a whole
    "test_mirror.py",
    "test_python_versions.py",  # what pyproject.toml and the workflows say
    "test_versions.py",  # what versions promise
    "test_wheel.py",  # the package as it is installed
    "web/test_core.py",  # of the folder web/
    "web/test_core_dicom.py",
    "tools/test_figures.py",  # of the folder tools/
    "tools/test_key_reference.py",  # of the folder tools/
}
WITHOUT_A_TEST = {
    "cli/sweep_job.py",  # what a cluster runs: in cluster/test_slurm.py and cli/test_submitting.py
    "config/data.py",  # schemas: in config/test_schemas.py
    "config/launcher.py",  # schemas: in config/test_schemas.py
    "config/model.py",  # schemas: in config/test_schemas.py
    "config/training.py",  # schemas: in config/test_schemas.py
    "report/checklist/claim.py",  # points of a checklist: in report/checklist/test_write.py
    "report/checklist/ridge.py",
    "report/checklist/tripod_ai.py",
    "inference/runtime.py",  # a protocol; what it asks of a runtime is in inference/test_predictor.py
    "training/tracker.py",  # what all loggers share: in training/test_loggers.py
    "version.py",  # a number
}


def names(folder):
    paths = (path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*.py"))
    return {path.as_posix() for path in paths if path.name != "__init__.py"}


def name_of_test(module):
    path = PurePath(module)
    return path.with_name(f"test_{path.name}").as_posix()


def test_each_module_has_its_test_and_each_test_its_module():
    tests = {name for name in names("tests") if PurePath(name).name.startswith("test_")}
    modules = names("fetal_seg")
    assert {name_of_test(module) for module in modules - WITHOUT_A_TEST} == tests - OF_NO_MODULE
    assert modules >= WITHOUT_A_TEST
    assert tests >= OF_NO_MODULE


def test_no_test_module_imports_another():
    for name in names("tests"):
        for node in ast.walk(ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                assert not node.module.rpartition(".")[2].startswith("test_"), f"{name} imports {node.module}"
