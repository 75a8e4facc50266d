"""The versions of Python that are supported are those that are tried."""

import tomllib

import yaml

from tests.conftest import ROOT


def test_the_versions_that_the_project_claims_are_those_of_the_workflows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [text.rpartition(" ")[2] for text in project["classifiers"] if "Python :: 3." in text]
    lowest, highest = named[0], named[-1]
    assert project["requires-python"] == f">={lowest},<3.{int(highest.split('.')[1]) + 1}"
    for name in ("test", "wheel"):
        jobs = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))["jobs"]
        (tried,) = [job["strategy"]["matrix"]["python"] for job in jobs.values() if "strategy" in job]
        assert tried == named


def test_the_workflows_call_targets_that_there_are():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values()
        for step in (step for job in jobs for step in job["steps"]):
            if (run := step.get("run", "")).startswith("make "):
                assert f"\n{run.split()[1]}:" in makefile, run
