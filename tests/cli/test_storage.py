"""Where a study is: what cannot be used is one sentence, and no password is written."""

import re

import optuna
import pytest
from optuna.trial import TrialState

from fetal_seg.cli import search
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.storage import open_storage
from fetal_seg.cli.study import ended_trials, open_study
from fetal_seg.config.search import SearchSettings
from fetal_seg.errors import InputError
from tests.conftest import QUICK, run_command

SPACE = {"model.depth": [2, 3, 4], "optim": ["adam", "sgd"]}


def deepest(overrides, run_dir, report_epoch):
    """A training that costs nothing."""
    values = dict(text.split("=") for text in overrides)
    return not report_epoch(0, int(values["model.depth"]) / 10 + 0.05 * (values["optim"] == "adam"))


@pytest.fixture(params=["journal", "postgresql"])
def storage(request, tmp_path):
    return str(tmp_path / "study.journal") if request.param == "journal" else request.getfixturevalue("postgresql")


def test_workers_share_what_each_has_done(storage, tmp_path):
    def plan(trials):
        settings = SearchSettings(trials=trials, storage=storage)
        return SearchPlan(tmp_path, [], SPACE, settings, study=tmp_path.name)

    first = open_study(plan(4), create=True)
    search.work(plan(4), deepest)
    assert ended_trials(first) == 4
    search.work(plan(9), deepest)
    again = open_study(plan(9), create=True)
    assert len(again.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))) == 9
    assert again.best_trial.params["model.depth"] == max(trial.params["model.depth"] for trial in again.trials)


def test_two_searches_in_one_storage_do_not_meet(storage, tmp_path):
    settings = SearchSettings(trials=2, storage=storage)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        plan = SearchPlan(tmp_path / name, [], SPACE, settings, study=f"{tmp_path.name}-{name}")
        open_study(plan, create=True)
        search.work(plan, deepest)
        assert ended_trials(open_study(plan)) == 2


def test_a_storage_without_the_study_of_a_folder_is_refused(tmp_path):
    (tmp_path / "0").mkdir()
    plan = SearchPlan(tmp_path, [], SPACE, SearchSettings(storage=str(tmp_path / "other.journal")), study="study")
    with pytest.raises(InputError, match="does not hold the study of .*; give the one that it was begun with"):
        open_study(plan, create=True)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://nobody@localhost:1/searches", "cannot be used .*refused"),
        ("postgresql://nobody@no.such.host.invalid/searches", "cannot be used"),
        ("{server}", 'cannot be used .*"nowhere" does not exist.*createdb'),
    ],
)
def test_a_database_that_is_not_there_is_one_sentence(address, told, tmp_path, request):
    if address == "{server}":
        address = request.getfixturevalue("postgresql").replace("/postgres?", "/nowhere?")
    with pytest.raises(InputError, match=told) as error:
        open_storage(tmp_path, SearchSettings(storage=address))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"no journal", b"\xff\xfe\n", b'{"op_code": 77}\n'])
def test_a_file_that_is_no_journal_is_one_sentence(content, tmp_path):
    (tmp_path / "journal").write_bytes(content)
    with pytest.raises(InputError, match="journal (cannot be a journal|is damaged)"):
        settings = SearchSettings(storage=str(tmp_path / "journal"))
        open_study(SearchPlan(tmp_path, [], SPACE, settings, study="study"), create=True)


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(InputError, match="cannot be a journal .*directory"):
        open_storage(tmp_path, SearchSettings(storage=str(tmp_path)))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://me:s3cret@host/searches", "search.storage: the address holds a password, .* PGPASSWORD"),
        ("mysql://me@host/searches", "mysql is no storage"),
        ("postgresql://nobody@localhost:1/searches", "cannot be used .*refused"),
    ],
)
def test_the_command_refuses_what_it_cannot_use_and_leaves_nothing(address, told, tmp_path):
    keys = [*QUICK, "search.space={optim.lr_factor: [0.1,1.0]}", f"search.storage={address}"]
    done = run_command("search.py", *keys, "output=search", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert re.search(told, done.stderr)
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_server_that_goes_is_one_sentence(tmp_path, monkeypatch):
    plan = SearchPlan(tmp_path, [], SPACE, SearchSettings(trials=2))
    open_study(plan, create=True)

    def gone(*_):
        raise optuna.exceptions.StorageInternalError("the connection was closed")

    with pytest.raises(InputError, match="cannot be reached any more .*checkpoints"):
        search.work(plan, gone)
    assert not list(tmp_path.rglob("failure.json"))
