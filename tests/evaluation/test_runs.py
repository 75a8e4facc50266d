import pytest

from fetal_seg.errors import InputError
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


def test_equal_values_have_equal_text():
    assert as_text("1e-3") == as_text(0.001) == as_text("0.0010") == "0.001"
    assert [as_text(value) for value in (None, True, "null", "silu", 4)] == ["none", "true", "none", "silu", "4"]


def test_names_are_sorted_as_people_do():
    assert sorted(["10", "9", "a2", "0.3", "a10"], key=natural_order) == ["0.3", "9", "10", "a2", "a10"]
