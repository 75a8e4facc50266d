"""One trial: none is made that another worker makes, and one that was given away is let go."""

import optuna
import pytest
from optuna.trial import TrialState

from fetal_seg.cli import search
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.study import TWIN, ended_trials, open_study
from fetal_seg.cli.trial import NeedlessTrialError, propose, run_trial
from fetal_seg.config.search import SearchSettings
from fetal_seg.errors import Interrupted

SPACE = {"model.depth": [2, 3]}


@pytest.fixture
def plan(tmp_path):
    return SearchPlan(tmp_path, ["seed=0"], SPACE, SearchSettings(trials=2))


def no_training(*_):
    raise AssertionError("it trained")


def begun(study, depth):
    """A trial that a worker has begun with a value."""
    study.enqueue_trial({"model.depth": depth})
    trial = study.ask()
    propose(trial, "model.depth", SPACE["model.depth"])
    return trial


def test_what_another_worker_trains_now_is_not_trained_beside_it(plan):
    study = open_study(plan, create=True)
    begun(study, 3)
    study.enqueue_trial({"model.depth": 3})
    trial = study.ask()
    with pytest.raises(NeedlessTrialError):
        run_trial(trial, plan, no_training)
    study.tell(trial, state=TrialState.FAIL)
    assert study.trials[1].user_attrs[TWIN] == 0
    assert ended_trials(study) == 1  # a repetition counts, so that a small space comes to an end


def test_more_than_were_asked_for_are_not_begun(plan):
    study = open_study(plan, create=True)
    begun(study, 3)
    begun(study, 3)
    study.enqueue_trial({"model.depth": 2})
    with pytest.raises(NeedlessTrialError):
        run_trial(study.ask(), plan, no_training)


def test_one_that_was_given_to_another_worker_is_let_go(plan):
    study = open_study(plan, create=True)
    trained = []

    def train(overrides, run_dir, report_epoch):
        if not trained:  # others have taken it for dead
            other = open_study(plan)
            other.tell(other.get_trials(states=(TrialState.RUNNING,))[0].number, state=TrialState.FAIL)
        trained.append(overrides)
        return not report_epoch(0, 0.5)

    search.work(plan, train)
    states = [trial.state for trial in study.trials]
    assert states[0] == TrialState.FAIL
    assert not list(plan.folder.rglob("failure.json"))
    assert ended_trials(study) == 2


def test_one_whose_worker_was_told_to_end_waits_for_the_next(plan):
    study = open_study(plan, create=True)

    def train(overrides, run_dir, report_epoch):
        report_epoch(0, 0.5)
        raise Interrupted(15)

    with pytest.raises(Interrupted):
        search.work(plan, train)
    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.WAITING]
    folders = []

    def train_on(overrides, run_dir, report_epoch):
        folders.append(run_dir.name)
        return not report_epoch(0, 0.5)

    search.work(plan, train_on)
    assert folders[0] == "0"


def test_numbers_are_proposed_in_their_ranges():
    from fetal_seg.config.search import RangeConfig

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    trials = [study.ask() for _ in range(20)]
    assert {type(propose(trial, "whole", RangeConfig(low=2, high=5))) for trial in trials} == {int}
    rates = [propose(trial, "rate", RangeConfig(low=0.001, high=1.0, log=True)) for trial in trials]
    assert all(0.001 <= rate <= 1 for rate in rates)
    assert min(rates) < 0.03
