"""Where a study can be."""

import pytest

from fetal_seg.config.search import SearchSettings, check_objectives, check_storage, search_problems
from fetal_seg.errors import InputError


@pytest.mark.parametrize(
    "storage",
    [
        "postgresql://host/searches",
        "postgresql://me@host:5433/searches",
        "postgresql:///searches?host=/run/postgresql",
        "shared/study.journal",
        "/shared/study.journal",
    ],
)
def test_databases_and_journals_are_taken(storage):
    assert check_storage(storage) == storage
    assert SearchSettings(storage=storage).is_in_database == storage.startswith("postgresql")


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        ("postgresql://me:secret@host/searches", "holds a password.*PGPASSWORD"),
        ("postgresql://me:@host/searches", "holds a password"),
        ("postgresql://host/searches?password=secret", "holds a password"),
        ("postgresql://host", "names no database"),
        ("postgresql://host:port/searches", "is no address"),
        ("sqlite:///study.db", "sqlite is no storage"),
        ("redis://host", "redis is no storage"),
        ("", "nothing is no storage"),
    ],
)
def test_what_is_neither_is_refused_without_its_password(storage, told):
    with pytest.raises(InputError, match=told) as error:
        check_storage(storage)
    assert "secret" not in str(error.value)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("fetal_seg.config.extras.is_installed", lambda _: False)
    assert search_problems(SearchSettings()) == []
    for settings, extra in (({"storage": "postgresql://host/searches"}, "postgresql"), ({"sampler": "cmaes"}, "cmaes")):
        (sentence,) = search_problems(SearchSettings(**settings))
        assert sentence.endswith(f"pip install 'fetal_seg[{extra}]'")


def test_objectives_are_dice_and_what_the_network_costs():
    assert SearchSettings().objectives == ["dice"]
    assert check_objectives(["dice", "milliseconds"]) == ["dice", "milliseconds"]
    for given in (["milliseconds"], ["dice", "dice"]):
        with pytest.raises(InputError, match=r"give \[dice\], or \[dice,milliseconds\]"):
            check_objectives(given)


def test_what_does_not_go_together_is_refused():
    settings = SearchSettings(sampler="cmaes", objectives=["dice", "milliseconds"])
    assert any("knows one objective" in sentence for sentence in search_problems(settings))
