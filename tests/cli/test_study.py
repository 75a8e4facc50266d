import pytest
from optuna.trial import TrialState

from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.storage import STUDY
from fetal_seg.cli.study import ended_trials, open_study
from fetal_seg.config.search import SearchSettings
from fetal_seg.errors import InputError


def plan(folder, seed=0, **settings):
    return SearchPlan(folder, [], {}, SearchSettings(**settings), seed)


def test_a_study_is_made_once_and_found_again(tmp_path):
    study = open_study(plan(tmp_path), create=True)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    again = open_study(plan(tmp_path))
    assert ended_trials(again) == 3
    assert {trial.state for trial in again.trials} == {TrialState.COMPLETE}


def test_what_is_proposed_is_a_function_of_the_seed_and_of_what_has_ended(tmp_path):
    def first(folder, seed):
        (tmp_path / folder).mkdir()
        trial = open_study(plan(tmp_path / folder, seed), create=True).ask()
        return trial.suggest_float("x", 0, 1)

    assert first("a", 1) == first("b", 1) != first("c", 2)


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_file_is_one_sentence(content, tmp_path):
    (tmp_path / STUDY).write_bytes(content)
    with pytest.raises(InputError, match="study.db is damaged .*; give another output"):
        open_study(plan(tmp_path), create=True)
