"""Formats only grow: what version 1.0 promised is there (docs/versions.md); and the version's number stands alike."""

import json
import re

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from fetal_seg.cli.main import COMMANDS
from fetal_seg.commands.planes import PLANE_COLUMNS
from fetal_seg.config.commands import SCHEMAS
from fetal_seg.evaluation.summary import summarise
from fetal_seg.evaluation.tables import PER_IMAGE_COLUMNS, PREDICTION_COLUMNS
from fetal_seg.models.description import FORMATS
from fetal_seg.version import __version__
from tests.conftest import ROOT

PROMISED = json.loads((ROOT / "tests" / "promised.json").read_text(encoding="utf-8"))
GROUPS = ("augmentation", "data", "logger", "loss", "model", "optim", "scheduler", "trainer")


def keys(content, prefix=""):
    for key, value in content.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{key}.")


def present():
    """What there is now of each thing that is promised."""
    things = {"commands": list(COMMANDS), "checkpoint formats": list(FORMATS)}
    things |= {"predictions.csv": PREDICTION_COLUMNS, "per_image.csv": PER_IMAGE_COLUMNS, "planes.csv": PLANE_COLUMNS}
    things["summary.json"] = [*summarise([]), "runtime"]
    for group in GROUPS:
        things[f"choices of {group}"] = [file.stem for file in (ROOT / "conf" / group).glob("*.yaml")]
        for file in (ROOT / "conf" / group).glob("*.yaml"):
            content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            things[f"keys of {group}={file.stem}"] = [key for key in keys(content) if not key.startswith("defaults")]
    for name in SCHEMAS:
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            things[f"keys of {name}"] = list(keys(OmegaConf.to_container(compose(name), resolve=False)))
    return {thing: sorted(map(str, names)) for thing, names in things.items()}


@pytest.fixture(scope="module")
def now():
    return present()


@pytest.mark.parametrize("thing", [thing for thing in PROMISED if thing not in ("run.json", "split.json")])
def test_what_was_promised_is_there(thing, now):
    assert set(PROMISED[thing]) <= set(now.get(thing, ())), (
        f"{thing} lost something; docs/versions.md says how that is done"
    )


def test_all_that_there_is_was_promised_once(now):
    assert set(now) >= set(PROMISED) - {"run.json", "split.json"}


@pytest.mark.parametrize("name", ["run.json", "split.json"])
def test_the_records_of_a_run_have_the_keys_that_were_promised(name, trained):
    content = json.loads((trained / name).read_text(encoding="utf-8"))
    assert set(PROMISED[name]) <= set(keys(content))


def test_the_number_of_the_version_stands_alike():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)
    assert newest[1] == __version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__
    wheels = re.findall(r"fetal_seg-([\d.]+)-py3", (ROOT / "docs" / "install.md").read_text(encoding="utf-8"))
    assert set(wheels) == {__version__}


def test_the_page_names_the_formats_of_checkpoints():
    *first, last = map(str, FORMATS)
    page = " ".join((ROOT / "docs" / "versions.md").read_text(encoding="utf-8").split())
    assert f"formats {', '.join(first)} and {last} are read" in page
    assert f"format {last} is written" in page
