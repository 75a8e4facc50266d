import pytest

from fetal_seg.cli.overrides import grid_overrides, jobs_of, with_named_runs
from fetal_seg.errors import InputError
from tests.conftest import ROOT, run_command


def test_a_grid_leaves_keys_to_the_command_line():
    grid = {"model": ["unet", "encoder_decoder"], "model.depth": [3, 4], "optim.lr_factor": [0.3, 1.0]}
    given = ["++model.depth=5", "data=phantom"]
    jobs = jobs_of([*given, *grid_overrides(grid, given)])
    assert len(jobs) == 4
    assert all("++model.depth=5" in job and "data=phantom" in job for job in jobs)
    assert {job[2] for job in jobs} == {"model=unet", "model=encoder_decoder"}
    assert {job[3] for job in jobs} == {"++optim.lr_factor=0.3", "++optim.lr_factor=1.0"}


def test_a_grid_with_unknown_choices_is_refused():
    with pytest.raises(InputError, match=r"sweep.grid: model=unte is unknown"):
        grid_overrides({"model": ["unte"]}, [])


def test_the_ablation_is_the_grid_that_the_study_names():
    import yaml

    grid = yaml.safe_load((ROOT / "conf/experiment/ablation.yaml").read_text())["sweep"]["grid"]
    jobs = jobs_of(grid_overrides(grid, []))
    assert len({tuple(job) for job in jobs}) == 2 * 3 * 3 * 3 * 2


class TestCommandLine:
    def test_unknown_choices_are_told_with_the_known_ones(self, tmp_path):
        done = run_command("train.py", "model=unte", "optim=adam,sdg", "-m", cwd=tmp_path)
        assert done.returncode == 2
        assert "model=unte is unknown; take one of encoder_decoder, lite, smp, unet" in done.stderr
        assert "optim=sdg is unknown" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_keys_of_before_are_understood(self, tmp_path):
        """Augmentation was a part of the data; a wrong value is told under the key's present name."""
        done = run_command("train.py", "data=phantom", "data.augmentation.scale=9", cwd=tmp_path)
        assert done.returncode == 2
        assert "augmentation.scale=9 is not allowed; give at most 4" in done.stderr

    def test_what_is_no_override(self, tmp_path):
        done = run_command("train.py", "model", cwd=tmp_path)
        assert done.returncode == 2
        assert "write key=value" in done.stderr


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (["checklist=claim", "outputs/A"], ["checklist=claim", "runs=['outputs/A']"]),
        (["A", "B", "title=x"], ["title=x", "runs=['A','B']"]),
        (["--help"], ["--help"]),
        (["runs=[A]", "title=x"], ["runs=[A]", "title=x"]),
        (["it's"], [r"runs=['it\'s']"]),
    ],
)
def test_folders_without_a_key_are_runs(given, taken):
    assert with_named_runs(given) == taken


def test_a_folder_whose_name_has_an_equals_sign_is_a_run(tmp_path, monkeypatch):
    (tmp_path / "lr=1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert with_named_runs(["lr=1"]) == ["runs=['lr=1']"]


@pytest.mark.parametrize(
    ("given", "sentence"), [(["A", "runs=[B]"], "give all runs in one way"), ([""], "a run's folder is empty")]
)
def test_runs_that_cannot_be_told_are_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        with_named_runs(given)
