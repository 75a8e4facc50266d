"""Trials of workers that died: another goes on where they were."""

import csv
import multiprocessing
import os
import signal
import time
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from filelock import FileLock
from optuna.trial import TrialState

from fetal_seg.cli import search
from fetal_seg.cli.dead_trials import MOST, TAKEN_UP, count_falling, put_back, take_up_dead
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.study import ENDED, open_study
from fetal_seg.cli.trial import propose
from fetal_seg.commands.report import conclude_search
from fetal_seg.config.search import SearchSettings
from fetal_seg.files import LOCK, read_csv
from tests.conftest import QUICK

SPACE = {"model.depth": [2, 3, 4]}


def begun(folder, storage=None):
    """A plan, its study, and a trial that somebody has begun."""
    plan = SearchPlan(folder, [], SPACE, SearchSettings(storage=storage, trials=2), study="study")
    study = open_study(plan, create=True)
    trial = study.ask()
    for key, allowed in SPACE.items():
        propose(trial, key, allowed)
    return plan, study, trial


@pytest.fixture(params=[None, "journal"])
def storage(request, tmp_path):
    return request.param and str(tmp_path / request.param)


def test_one_whose_folder_is_locked_lives(storage, tmp_path):
    plan, study, trial = begun(tmp_path, storage)
    (tmp_path / "0").mkdir()
    with FileLock(tmp_path / "0" / LOCK):
        take_up_dead(plan, study, silent_s=0)
    assert [one.state for one in study.trials] == [TrialState.RUNNING]


def test_one_that_has_just_begun_may_have_no_lock_yet(storage, tmp_path):
    plan, study, trial = begun(tmp_path, storage)
    take_up_dead(plan, study, silent_s=60)
    assert [one.state for one in study.trials] == [TrialState.RUNNING]


def test_it_is_put_back_once_with_its_folder_and_values(storage, tmp_path):
    plan, study, trial = begun(tmp_path, storage)
    for _ in range(3):
        take_up_dead(plan, study, silent_s=0)
    assert [one.state for one in study.trials] == [TrialState.FAIL, TrialState.WAITING]
    again = study.ask()
    assert (again.user_attrs["folder"], again.user_attrs[TAKEN_UP]) == ("0", 1)
    assert propose(again, "model.depth", SPACE["model.depth"]) == trial.params["model.depth"]


def test_one_that_costs_each_worker_its_life_is_left_out(tmp_path):
    plan, study, _ = begun(tmp_path)
    for _ in range(MOST + 5):
        take_up_dead(plan, study, silent_s=0)
        if not study.get_trials(states=(TrialState.WAITING,)):
            break
        propose(study.ask(), "model.depth", SPACE["model.depth"])
    assert len(study.trials) == MOST + 1
    assert {one.state for one in study.trials} == {TrialState.FAIL}


def test_one_that_was_told_to_end_is_not_counted(tmp_path):
    plan, study, _ = begun(tmp_path)
    put_back(plan, study, study.trials[0], died=False)
    assert study.trials[1].user_attrs[TAKEN_UP] == 0


def test_one_that_is_not_in_the_queue_yet_is_not_replaced(tmp_path):
    """A database tells that it failed a moment before it is put back, by a worker that may die between the two."""
    plan, study, trial = begun(tmp_path)
    plan = replace(plan, settings=replace(plan.settings, storage="postgresql://localhost/searches"))
    other = study.ask()
    propose(other, "model.depth", SPACE["model.depth"])
    assert count_falling(plan, study.trials) == 0
    study.tell(trial.number, state=TrialState.FAIL)
    assert count_falling(plan, study.trials) == 1
    put_back(plan, study, study.trials[0])
    assert count_falling(plan, study.trials) == 0
    study.tell(other.number, state=TrialState.FAIL)
    impatient = replace(plan, settings=replace(plan.settings, heartbeat=1))
    time.sleep(2.1)
    assert count_falling(impatient, study.trials) == 0


def test_one_that_was_begun_is_ended_even_if_there_are_enough(tmp_path):
    """Others may have replaced it while it was nobody's."""
    plan, study, trial = begun(tmp_path)
    plan = replace(plan, settings=replace(plan.settings, trials=1))
    study.tell(study.ask().number, 0.5)
    put_back(plan, study, study.trials[trial.number])
    study.tell(trial.number, state=TrialState.FAIL)
    assert search._wait_for_work(plan, study)
    study.tell(study.ask().number, 0.5)
    assert not search._wait_for_work(plan, study)


def train_and_tell(overrides, run_dir, report_epoch):
    """A real training, which leaves the number of its process."""
    (run_dir / "pid").write_text(str(os.getpid()))
    return search._train(["search.py"], overrides, run_dir, report_epoch)


def two_epochs_in(folder, killed):
    """A trial that a worker trains now, two or three epochs of five far."""
    for file in folder.glob("*/metrics.csv"):
        rows = read_csv(file)
        if (
            2 <= len(rows) <= 3
            and file.parent not in killed
            and (file.parent / "pid").read_text() not in killed.values()
        ):
            return file.parent, rows
    return None


def comparable(folder):
    """The report's table without what a clock tells."""
    with (folder / "summary.csv").open(newline="") as file:
        rows = [
            {k: v for k, v in row.items() if k not in ("minutes", "ms_per_image", "job")}
            for row in csv.DictReader(file)
        ]
    return set(map(str, rows))


def test_four_workers_of_which_two_are_killed_make_each_trial_once(postgresql, tmp_path, cache_dir):
    """With real trainings: the report is that of one worker whom nobody disturbs."""
    space = {"optim.lr": [0.01, 0.02], "optim.weight_decay": [0.01, 0.02]}
    trials = [{"optim.lr": lr, "optim.weight_decay": decay} for lr in (0.01, 0.02) for decay in (0.01, 0.02)]
    overrides = [*QUICK[:-1], "optim=adamw", "trainer.max_epochs=5", "trainer.threads=1", "trainer.log_images=0"]
    overrides = [text for text in overrides if not text.startswith("optim.lr")] + [
        f"data.cache_dir={cache_dir}",
        "evaluate=false",
    ]

    def prepared(name, **settings):
        (tmp_path / name).mkdir()
        how = SearchSettings(trials=len(trials), pruner="none", heartbeat=2, **settings)
        plan = SearchPlan(tmp_path / name, overrides, space, how, study=f"{tmp_path.name}-{name}")
        study = open_study(plan, create=True)
        for params in trials:
            study.enqueue_trial(params)
        return plan, study

    plan, study = prepared("shared", storage=postgresql)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        ["fetal_seg.cli.search", "fetal_seg.training.trainer", "fetal_seg.training.datamodule"]
    )
    workers = [processes.Process(target=search.work, args=(plan, train_and_tell)) for _ in range(4)]
    for worker in workers:
        worker.start()
    killed, before = {}, {}
    while len(killed) < 2 and any(worker.is_alive() for worker in workers):
        if found := two_epochs_in(plan.folder, killed):
            run_dir, before[run_dir] = found
            killed[run_dir] = (run_dir / "pid").read_text()
            os.kill(int(killed[run_dir]), signal.SIGKILL)
        time.sleep(0.02)
    for worker in workers:
        worker.join(240)
    assert sorted(worker.exitcode for worker in workers) == [-9, -9, 0, 0]
    conclude_search(plan.folder, ["search.py"])

    states = Counter(one.state for one in study.get_trials())
    assert states.keys() == {TrialState.COMPLETE, TrialState.FAIL}
    assert states[TrialState.FAIL] >= 2
    ended = [tuple(one.params.values()) for one in study.get_trials(states=ENDED)]
    assert set(ended) == {tuple(params.values()) for params in trials}
    if states[TrialState.FAIL] == 2:  # more where a busy machine kept a heart from beating
        assert len(ended) == len(trials)
    for run_dir, rows in before.items():
        assert read_csv(run_dir / "metrics.csv")[: len(rows) - 1] == rows[:-1]  # with their seconds: not trained again
        assert (run_dir / "pid").read_text() != killed[run_dir]

    alone, _ = prepared("alone")
    search.work(alone, partial(search._train, ["search.py"]))
    conclude_search(alone.folder, ["search.py"])
    assert comparable(plan.folder) == comparable(alone.folder)
