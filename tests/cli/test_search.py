"""The search: what it proposes, gives up, never trains twice, and goes on with after a kill."""

import contextlib
import csv
import json
import math

import optuna
import pytest

from fetal_seg.cli import search, trial
from fetal_seg.cli.dead_trials import take_up_dead
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.study import ENDED, ended_trials, open_study
from fetal_seg.config.search import RangeConfig, SearchSettings
from tests.conftest import QUICK, ROOT, run_command
from tests.forking import ForkedCommand

SPACE = {
    "model.depth": [2, 3, 4],
    "optim": ["adam", "sgd"],
    "optim.lr_factor": RangeConfig(low=0.1, high=10.0, log=True),
}
EPOCHS = 8


class Landscape:
    """A training that costs nothing: deeper is better, Adam is better, the best factor is 1."""

    def __init__(self):
        self.trained = []  # overrides and epochs

    def __call__(self, overrides, run_dir, watch):
        values = dict(text.split("=") for text in overrides)
        goal = 0.7 + 0.05 * int(values["model.depth"]) - 0.1 * (values["optim"] == "sgd")
        goal -= 0.1 * abs(math.log10(float(values["optim.lr_factor"])))
        for epoch in range(EPOCHS):
            if watch(epoch, goal * (1 - 0.5 ** (epoch + 1))):
                self.trained.append((tuple(overrides), epoch + 1))
                return False
        self.trained.append((tuple(overrides), EPOCHS))
        return True


def run(folder, train, space=SPACE, **settings):
    plan = SearchPlan(folder, ["seed=0"], space, SearchSettings(**settings))
    study = open_study(plan, create=True)
    search.work(plan, train)
    return study


def ended(study, state):
    return study.get_trials(states=(state,))


@pytest.mark.parametrize("pruner", ["median", "percentile", "hyperband", "successive_halving"])
def test_it_finds_the_best_and_gives_up_the_rest(pruner, tmp_path):
    train = Landscape()
    study = run(tmp_path, train, trials=20, pruner=pruner)
    assert len(study.trials) == 20
    pruned = ended(study, optuna.trial.TrialState.PRUNED)
    assert len(pruned) > 3
    assert sum(epochs for _, epochs in train.trained) < 0.85 * 20 * EPOCHS
    best = study.best_trial
    assert best.params["optim"] == "adam"
    assert best.params["model.depth"] == 4
    assert 0.5 < best.params["optim.lr_factor"] < 2
    assert best.value == pytest.approx(max(best.intermediate_values.values()))


def test_without_a_pruner_all_come_to_their_end(tmp_path):
    train = Landscape()
    run(tmp_path, train, trials=10, pruner="none")
    assert {epochs for _, epochs in train.trained} == {EPOCHS}


@pytest.mark.parametrize("sampler", ["random", "gp", "cmaes"])
def test_each_sampler_proposes_what_the_space_allows(sampler, tmp_path):
    if sampler == "cmaes":
        pytest.importorskip("cmaes", reason="pip install 'fetal_seg[cmaes]'")
    train = Landscape()
    space = {**SPACE, "optim.weight_decay": RangeConfig(low=0.0, high=0.1)}
    study = run(tmp_path, train, space, trials=8, startup_trials=4, sampler=sampler)
    assert ended_trials(study) == 8
    for one in study.trials:
        assert one.params["model.depth"] in SPACE["model.depth"]
        assert 0.1 <= one.params["optim.lr_factor"] <= 10
        assert 0 <= one.params["optim.weight_decay"] <= 0.1


def test_two_objectives_prune_nothing_and_have_a_front(tmp_path, monkeypatch):
    """Deeper is better and slower; networks that are built alike are timed once."""
    depths = []

    def milliseconds(asked, run_dir):
        depths.append(asked.params["model.depth"])
        return float(asked.params["model.depth"])

    monkeypatch.setattr(trial, "milliseconds_of", milliseconds)
    train = Landscape()
    study = run(tmp_path, train, trials=14, objectives=["dice", "milliseconds"])
    assert {epochs for _, epochs in train.trained} == {EPOCHS}
    assert study.directions == [optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE]
    plan = SearchPlan(tmp_path, [], SPACE, SearchSettings(objectives=["dice", "milliseconds"]))
    found = search.trade_offs(plan, study)
    assert len(found) == len(train.trained)
    assert {one.milliseconds for one in found} == {float(depth) for depth in depths}
    assert found[0].settings.startswith("model.depth=")


def test_no_configuration_is_trained_twice(tmp_path):
    train = Landscape()
    space = {"model.depth": [2, 3], "optim": ["adam", "sgd"], "optim.lr_factor": [0.1, 1.0]}
    study = run(tmp_path, train, space, trials=14)
    assert len(study.trials) == 14
    assert len(train.trained) == len({overrides for overrides, _ in train.trained}) <= 8
    values = {}
    for one in ended(study, optuna.trial.TrialState.COMPLETE):
        values.setdefault(tuple(one.params.items()), set()).add(one.value)
    assert all(len(found) == 1 for found in values.values())


def test_a_trial_that_fails_is_named_and_the_others_go_on(tmp_path):
    train = Landscape()

    def fail_on_sgd(overrides, run_dir, watch):
        if "optim=sgd" in overrides:
            raise RuntimeError("sgd is broken")
        return train(overrides, run_dir, watch)

    study = run(tmp_path, fail_on_sgd, trials=10)
    assert len(study.trials) == 10
    assert train.trained
    failed = ended(study, optuna.trial.TrialState.FAIL)
    assert failed
    assert all("sgd is broken" in (tmp_path / str(one.number) / "failure.json").read_text() for one in failed)


def test_a_trial_whose_process_died_is_taken_up_in_its_folder(tmp_path):
    plan = SearchPlan(tmp_path, [], SPACE, SearchSettings(trials=1))
    study = open_study(plan, create=True)
    dead = study.ask()
    for key, allowed in SPACE.items():
        trial.propose(dead, key, allowed)
    take_up_dead(plan, study, 0)
    assert study.trials[0].state == optuna.trial.TrialState.FAIL
    take_up_dead(plan, study, 0)
    assert len(study.trials) == 2
    folders = []

    def train(overrides, run_dir, watch):
        folders.append((run_dir.name, overrides))
        watch(0, 0.5)
        return True

    search.work(plan, train)
    ((folder, overrides),) = folders
    assert folder == "0"
    assert overrides == [f"{key}={value}" for key, value in dead.params.items()]


class Killed(BaseException):
    """Nobody catches it, as SIGKILL: the trial is found running."""


def test_what_is_no_failed_training_ends_the_search(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(trial, "propose", fail)
    with pytest.raises(OSError, match="the disk is full"):
        run(tmp_path, Landscape(), trials=3)


def nine_trials(folder, train):
    plan = SearchPlan(folder, ["seed=0"], SPACE, SearchSettings())
    take_up_dead(plan, open_study(plan, create=True), 0)
    study = run(folder, train, trials=9, startup_trials=4)
    return [(one.params, one.state, one.value, one.intermediate_values) for one in study.get_trials(states=ENDED)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return nine_trials(tmp_path_factory.mktemp("undisturbed"), Landscape())


@pytest.mark.parametrize("moment", ["optim", 0, EPOCHS - 1], ids=["while proposing", "first epoch", "last epoch"])
def test_a_search_that_is_killed_in_each_trial_goes_on_to_the_same_trials(moment, undisturbed, tmp_path, monkeypatch):
    propose, struck = trial.propose, set()

    def strike(*place):
        if place not in struck:
            struck.add(place)
            raise Killed

    def propose_or_die(asked, key, allowed):
        if key == moment:
            strike(ended_trials(asked.study))
        return propose(asked, key, allowed)

    def train_or_die(overrides, run_dir, watch):
        def watch_or_die(epoch, dice):
            is_pruned = watch(epoch, dice)
            if epoch == moment:
                strike(run_dir.name)
            return is_pruned

        return Landscape()(overrides, run_dir, watch_or_die)

    monkeypatch.setattr(trial, "propose", propose_or_die)
    for _ in range(2 * len(undisturbed)):
        with contextlib.suppress(Killed):
            cut = nine_trials(tmp_path, train_or_die)
            break
    assert len(struck) > 3
    assert cut == undisturbed


def arguments(folder, cache_dir):
    return [
        *(text for text in QUICK if not text.startswith("model.depth")),
        "trainer.log_images=0",
        f"data.cache_dir={cache_dir}",
        "search.space={model.depth: [2,3], optim.lr_factor: [0.001,1.0]}",
        "search.trials=4",
        "search.startup_trials=1",
        "search.workers=2",
        f"output={folder}",
    ]


@pytest.fixture(scope="module")
def searched(program, tmp_path_factory, cache_dir):
    """A search by the program with two workers: its folder, and the finished process."""
    folder = tmp_path_factory.mktemp("searches") / "search"
    return folder, run_command(program, "search", *arguments(folder, cache_dir), cwd=folder.parent, timeout=400)


def test_the_command_searches_with_two_workers(searched):
    folder, done = searched
    assert done.returncode == 0, done.stderr
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{folder}/study.db")
    assert ended_trials(study) >= 4
    best = study.best_trial
    run_dir = folder / str(best.number)
    with (run_dir / "metrics.csv").open(newline="") as file:
        dice = [float(row["val/dice"]) for row in csv.DictReader(file)]
    assert best.value == pytest.approx(max(dice), abs=1e-6)
    assert best.value == max(one.value for one in study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)))
    assert "best: val/dice" in done.stdout + done.stderr
    assert (folder / "report.html").is_file()
    with (folder / "summary.csv").open(newline="") as file:
        rows = {row["job"]: row for row in csv.DictReader(file)}
    assert rows[run_dir.name]["status"] == "finished"
    assert float(rows[run_dir.name]["optim.lr_factor"]) == best.params["optim.lr_factor"]


def test_its_page_and_its_trials_name_the_program(searched, program):
    folder, _ = searched
    assert "fetal-seg search" in (folder / "report.html").read_text(encoding="utf-8")
    commands = [json.loads(file.read_text())["command"] for file in folder.glob("*/run.json")]
    assert {tuple(command[:2]) for command in commands} == {(str(program), "train")}


def test_called_again_it_trains_nothing_anew(searched, cache_dir):
    folder, _ = searched
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("last.ckpt")}
    done = run_command("search.py", *arguments(folder, cache_dir), cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("last.ckpt")} == before


def test_two_commands_share_a_search(cache_dir, tmp_path):
    """Called at once, with a journal: each trial is trained by one of them, and both come to the same report."""
    short = [*QUICK, "trainer.max_epochs=1", "trainer.log_images=0", f"data.cache_dir={cache_dir}"]
    space = "search.space={optim.weight_decay: [0.01, 0.02, 0.03]}"
    how = [
        "search.trials=3",
        "search.sampler=random",
        "search.heartbeat=4",
        f"search.storage={tmp_path}/journal",
        f"output={tmp_path}/shared",
    ]
    both = [ForkedCommand(ROOT / "search.py", [*short, space, *how], tmp_path) for _ in range(2)]
    told = [process.communicate(200) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    with (tmp_path / "shared" / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    decays = [row["optim.weight_decay"] for row in rows]
    assert 1 <= len(decays) == len(set(decays)) <= 3  # what is proposed again is not trained again
    assert {row["status"] for row in rows} == {"finished"}
    assert all("best: val/dice" in out + errors for out, errors in told)


def test_another_search_is_not_mixed_into_a_folder(searched, cache_dir):
    folder, _ = searched
    done = run_command("search.py", *arguments(folder, cache_dir), "seed=5", cwd=folder.parent)
    assert done.returncode == 2
    assert "holds another search" in done.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "nothing to search"),
        (["search.space={model.depth: [2,3]}", "model.depth=2"], "nothing to search"),
        (["search.pruner=best"], "search.pruner='best' is not allowed; give 'median', 'percentile', 'hyperband'"),
        (["search.sampler=best"], "search.sampler='best' is not allowed; give 'tpe', 'random', 'gp' or 'cmaes'"),
        (["search.objectives=[milliseconds]"], "give [dice], or [dice,milliseconds]"),
        (["search.sampler=cmaes", "search.space={model.depth: [2,3]}"], "cmaes needs two keys"),
        (["search.space={model.depth: {low: 2, hihg: 3}}"], "search.space"),
    ],
)
def test_what_cannot_be_searched_is_refused(given, told, tmp_path):
    done = run_command("search.py", *QUICK[:5], *given, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
