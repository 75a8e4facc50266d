"""Whole checklists: their numbers, what two runs have in common, and that nothing in a record is a mark of a page."""

from dataclasses import replace

import pytest

from fetal_seg.report.checklist.points import Status, answer
from fetal_seg.report.checklist.write import CHECKLISTS, escaped, write_checklist
from tests.report.checklist.recorded import GROUPS, SPLIT, WEIGHTS, records, write_recorded
from tests.report.study.shown_report import Page
from tests.run_folders import scores

NAMES = sorted(CHECKLISTS)


def answers(checklist, told):
    return [answer(point, told) for section in checklist.sections for point in section.points]


@pytest.fixture
def first(tmp_path):
    rows = [row | {"flag": "ok", "nsd_1mm": 0.8} for row in scores(0.95)]
    return records(write_recorded(tmp_path / "first", rows))


@pytest.fixture
def second(tmp_path):
    """A run that has nothing in common with the first."""
    groups = {name: keys | {"name": "another"} for name, keys in GROUPS.items()}
    groups["augmentation"] = {"enabled": True, "shadow": 0.5}
    groups |= {"model": {"name": "unet", "depth": 5, "init": "pretrained"}, "checkpoint": "last", "seed": 7}
    groups["trainer"] = {"max_epochs": 9, "ema_decay": 0.5}
    split = {"seed": 7, "kind": "kfold", "train": ["v", "w"], "val": ["x", "y", "z"], "folds": 5, "fold": 1}
    split |= {"examinations": {"train": ["v"], "val": ["x"]}}
    facts = {"git": {"commit": "deadbeef", "dirty": True}, "versions": {"torch": "3.0"}, "machine": {"cores": 16}}
    facts |= {"started": "2027-01-01T00:00:00+0000", "data_fingerprint": "e" * 32, "wall_time_s": 900.0}
    rows = [row | {"flag": "check", "nsd_1mm": 0.7, "hc_true_mm": 300.0} for row in scores(0.9, seed=5, images=12)]
    folder = write_recorded(tmp_path / "second", rows, split, groups, losses=(0.8, 0.7), **facts)
    weights = replace(WEIGHTS, sha256="beef", size_mb=31.1, parameters=7, height=64, calibrated=12, gate=(5, 6))
    return replace(records(folder, weights), command="fetal-seg train model=unet")


@pytest.mark.parametrize("name", NAMES)
def test_no_filled_point_is_a_phrase_that_is_always_the_same(name, first, second):
    one, other = (
        {fact.text for each in answers(CHECKLISTS[name], told) for fact in each.told} for told in (first, second)
    )
    assert len(one) > 12
    shared = one & other
    assert not {text for text in shared if not text.startswith("1 network, run by ")}  # both were run by PyTorch


@pytest.mark.parametrize("name", NAMES)
def test_what_only_a_person_knows_is_left_to_the_author(name, first):
    of_author = {each.point.asks for each in answers(CHECKLISTS[name], first) if each.status == Status.AUTHOR}
    assert any("Limitations" in asks for asks in of_author)
    assert len(of_author) >= 8
    assert all(each.told or each.missing for each in answers(CHECKLISTS[name], first) if each.status != Status.AUTHOR)


def test_the_numbers_are_those_of_the_checklists():
    def numbers(name):
        return [point.number for section in CHECKLISTS[name].sections for point in section.points]

    assert numbers("claim") == [str(number) for number in range(1, 45)]
    tripod = numbers("tripod_ai")
    assert len(tripod) == len(set(tripod)) == 52
    assert {number.rstrip("abcdefg") for number in tripod} == {str(number) for number in range(1, 28)}


@pytest.mark.parametrize("name", NAMES)
def test_both_files_have_every_fact(name, first, tmp_path):
    markdown, html = write_checklist(tmp_path / "out", CHECKLISTS[name], first)
    text, page = markdown.read_text(encoding="utf-8"), Page(html)
    for each in answers(CHECKLISTS[name], first):
        assert each.point.asks in text
        assert each.point.asks in page.text
        for fact in each.told:
            assert escaped(fact.text) in text
            assert fact.text in page.text
        for missing in each.missing:
            assert missing.command in text
            assert missing.command in page.text
    assert CHECKLISTS[name].doi in page.source


def test_what_a_record_holds_is_no_mark_of_a_page(tmp_path):
    data = {"data": GROUPS["data"] | {"root": "<script>alert(1)</script> | *x* [y](z)"}}
    told = records(write_recorded(tmp_path / "<b>run", scores(0.9), SPLIT, GROUPS | data))
    markdown, html = write_checklist(tmp_path / "out", CHECKLISTS["claim"], told)
    assert "<script" not in html.read_text(encoding="utf-8")
    assert "<b>run" not in html.read_text(encoding="utf-8")
    text = markdown.read_text(encoding="utf-8")
    assert "<script" not in text
    assert r"\*x\* \[y\](z)" in text
