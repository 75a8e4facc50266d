"""The reference of the configuration has every key of every file, with what it takes, its default and its meaning."""

import re

import pytest
import yaml

from fetal_seg.config.commands import SCHEMAS
from tests.conftest import ROOT
from tools.key_reference import YamlFile, groups, reference

CONF = ROOT / "conf"


@pytest.fixture(scope="module")
def page():
    return reference()


@pytest.fixture(scope="module")
def rows(page):
    """The cells of each key, by heading and key."""
    found, heading = {}, ""
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif match := re.match(r"\| `([\w.]+)` \| (.*) \| (.*) \| (.*) \|$", line):
            found[heading, match[1]] = match.groups()[1:]
    return found


def leaves(content, prefix=""):
    for key, value in (content or {}).items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        elif key not in ("defaults", "name"):
            yield f"{prefix}{key}"


def test_each_key_of_each_file_has_a_row(rows):
    shown = {key for _, key in rows}
    for command in SCHEMAS:
        file = CONF / f"{command}.yaml"
        content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
        content.pop("hydra", None)
        assert set(leaves(content)) <= shown, file.name
    for group in groups():
        for file in (CONF / group).glob("*.yaml"):
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            given = {key: value for key, value in content.items() if value != {}}  # trackers without keys
            assert {f"{group}.{key}" for key in leaves(given)} <= shown, file


def test_each_row_says_what_the_key_takes_its_default_and_its_meaning(rows):
    for place, cells in rows.items():
        assert all(cell.strip() for cell in cells), place


@pytest.mark.parametrize(
    ("place", "takes", "default"),
    [
        (("train", "seed"), "whole number, at least 0, below 4294967296", "`0`"),
        (("predict", "input"), "text, or list of text", "must be given"),
        (("predict", "gestational_age_weeks"), "number, above 0, at most 45, or null", "`null`"),
        (("data", "data.balance"), "number, 0 to 1", "`1.0`"),
        (("data=hc18", "data.root"), "text", "`$HC18_ROOT`, else `data/hc18`"),
        (("data=folder", "data.root"), "text", "must be given"),
        (("optim=sgd", "optim.lr"), "number, above 0, at most 10", "`0.1`"),
        (("search", "evaluate"), "`true` or `false`", "`false`"),
        (("augmentation", "augmentation.shadow"), "number, 0 to 1", "`0.0`"),
    ],
)
def test_rows_that_are_known(rows, place, takes, default):
    assert rows[place][:2] == (takes, default)


def test_what_the_choices_of_a_group_share_stands_once(rows):
    assert [heading for heading, key in rows if key == "data.height"] == ["data"]
    assert [heading for heading, key in rows if key == "model.depth"] == [
        f"model={name}" for name in ("encoder_decoder", "unet", "smp", "lite")
    ]


def test_each_experiment_is_told(page):
    for file in (CONF / "experiment").glob("*.yaml"):
        (text,) = re.findall(rf"^\| `experiment={file.stem}` \| (.*) \|$", page, re.MULTILINE)
        assert text, file.stem


def test_comments_of_a_file_are_read_over_several_lines(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("# python x.py: what it does,\n# and why\na: 1   # one\n     # and more\nb:\n  c: x  # two\nd: 2\n")
    read = YamlFile.read(file)
    assert read.summary == "what it does, and why"
    assert read.comments == {"a": "one and more", "b": "", "b.c": "two", "d": ""}
    assert YamlFile.read(tmp_path / "none.yaml").values == {}
