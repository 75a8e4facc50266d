import pytest

from fetal_seg.errors import InputError
from fetal_seg.evaluation.labels import factors, label
from fetal_seg.evaluation.runs import as_text, natural_order, read_runs
from tests.run_folders import scores, write_run, write_sweep


def test_a_sweep_is_read_job_by_job_with_what_became_of_each(tmp_path):
    jobs = [[f"++model.depth={depth}"] for depth in (2, 3, 4, 5)] + [["++model.depth=6"]] * 7
    sweep = write_sweep(tmp_path / "sweep", jobs)
    write_run(sweep / "0", jobs[0], scores(0.9))
    write_run(sweep / "1", jobs[1], cause="ValueError: too deep")
    write_run(sweep / "2", jobs[2], status="running")
    write_run(sweep / "10", jobs[10], status="pruned")
    runs = read_runs([sweep])
    assert [run.name for run in runs] == [str(number) for number in range(11)]  # 10 after 9
    status = ["finished", "failed", "cut off", "not started"]
    assert [run.status for run in runs] == [*status, *["not started"] * 6, "pruned"]
    assert [run.setting("model.depth") for run in runs[:5]] == ["2", "3", "4", "5", "6"]
    assert (runs[1].cause, runs[0].cause) == ("ValueError: too deep", "")
    assert (runs[0].epochs, runs[0].minutes, len(runs[0].images)) == (3, 1.5, 24)
    assert runs[3].epochs is None


def test_a_job_that_failed_and_later_finished_is_finished(tmp_path):
    run = write_run(tmp_path / "run", (), scores(0.9))
    (run / "failure.json").write_text('{"cause": "earlier", "traceback": ""}')
    (found,) = read_runs([run])
    assert (found.status, found.cause) == ("finished", "")


def test_runs_are_found_once_each_in_any_mixture_of_folders(tmp_path):
    sweep = write_sweep(tmp_path / "outputs" / "sweep" / "a", [["model=unet"]])
    write_run(sweep / "0", ["model=unet"])
    single = write_run(tmp_path / "outputs" / "train" / "0")
    evaluation = tmp_path / "outputs" / "evaluate" / "x" / ".hydra"
    evaluation.mkdir(parents=True)
    (evaluation / "config.yaml").write_text("ckpt: x\n")
    runs = read_runs([single, tmp_path / "outputs", sweep, single])
    assert {run.folder for run in runs} == {single, sweep / "0"}
    assert [run.name for run in runs] == ["train/0", "sweep/a/0"]  # both are called 0


def test_a_search_folder_is_searched_for_runs_though_it_has_a_configuration(tmp_path):
    write_run(tmp_path / "search" / "0", ["model=unet"], scores(0.9))
    hydra = tmp_path / "search" / ".hydra"
    hydra.mkdir()
    (hydra / "config.yaml").write_text("trainer: {}\nsearch: {}\n")
    assert [run.name for run in read_runs([tmp_path / "search"])] == ["0"]


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_a_folder_without_runs_is_told(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=name):
        read_runs([tmp_path / name])


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json"):
        read_runs([run])


def test_factors_are_what_varies_whether_overridden_or_not(tmp_path):
    common = ["++data.root=/there", "hydra.launcher.n_jobs=2", "trainer.max_epochs=3"]
    write_run(tmp_path / "a", ["model=unet", *common, "++seed=1"])
    write_run(tmp_path / "b", ["++model.depth=4", "data.root=/elsewhere", "seed=2"])
    write_run(tmp_path / "c", ["++optim.lr_factor=1e-1", *common])
    write_run(tmp_path / "d", ["++optim.lr_factor=0.1", "seed=3"])
    runs = read_runs([tmp_path])
    assert factors(runs) == ["model", "model.depth", "optim.lr_factor"]
    assert [label(run, factors(runs)) for run in runs] == [
        "unet, depth 3, lr_factor 1",
        "encoder_decoder, depth 4, lr_factor 1",
        "encoder_decoder, depth 3, lr_factor 0.1",
        "encoder_decoder, depth 3, lr_factor 0.1",
    ]


def test_a_difference_that_only_a_file_of_the_configuration_makes_is_a_factor(tmp_path):
    write_run(tmp_path / "a", ["model=unet"])
    write_run(tmp_path / "b", ["model=encoder_decoder"])
    other = write_run(tmp_path / "c", ["model=unet", "experiment=long"]) / ".hydra" / "config.yaml"
    other.write_text(other.read_text().replace("max_epochs: 3", "max_epochs: 9"))
    runs = read_runs([tmp_path])
    assert factors(runs) == ["model", "trainer.max_epochs"]  # not experiment, which only names it


def test_one_run_is_labelled_by_its_name(tmp_path):
    (run,) = read_runs([write_run(tmp_path / "2026", ["model=unet"])])
    assert label(run, factors([run])) == "2026"


def test_equal_values_have_equal_text():
    assert as_text("1e-3") == as_text(0.001) == as_text("0.0010") == "0.001"
    assert [as_text(value) for value in (None, True, "null", "silu", 4)] == ["none", "true", "none", "silu", "4"]


def test_names_are_sorted_as_people_do():
    assert sorted(["10", "9", "a2", "0.3", "a10"], key=natural_order) == ["0.3", "9", "10", "a2", "a10"]


def test_runs_of_different_experiment_files_are_told_apart_by_their_choices(tmp_path):
    """The file itself is no factor; keys that follow from a choice are none either."""
    for name, model, optim, lr in (("a", "unet", "sgd", 0.1), ("b", "encoder_decoder", "rmsprop", 0.0005)):
        run = write_run(tmp_path / name, [f"model={model}", f"optim={optim}", f"optim.lr={lr}"])
        (run / ".hydra" / "overrides.yaml").write_text(f"- experiment={name}\n")
    runs = read_runs([tmp_path])
    assert factors(runs) == ["model", "optim"]
    assert [label(run, factors(runs)) for run in runs] == ["unet, sgd", "encoder_decoder, rmsprop"]
