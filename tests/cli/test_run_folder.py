"""The folders of trainings: free, taken, or those of runs that go on."""

import shutil

import pytest

from fetal_seg.evaluation.runs import RunStatus, read_runs
from tests.conftest import run_command, table
from tests.trainings import record, start, wait_for


@pytest.fixture
def copied(whole, tmp_path):
    """A finished run, as it might be in the middle of its training."""
    run = tmp_path / "copied"
    shutil.copytree(whole, run)
    return run


def test_a_killed_run_is_shown_as_cut_off_and_a_living_one_as_running(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, "trainer.max_epochs=500")
    wait_for((run / "metrics.csv").is_file, process)
    assert [found.status for found in read_runs([run])] == [RunStatus.RUNNING]
    second = start(run, cache_dir)
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"another process works in {run}" in errors
    process.kill()
    process.communicate()
    assert record(run)["status"] == "running"
    assert [found.status for found in read_runs([run])] == [RunStatus.CUT_OFF]


@pytest.mark.parametrize("keys", [[], ["ckpt_path=last"]])
def test_a_finished_run_is_not_overwritten(keys, copied, cache_dir):
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file() and "checkpoints" in str(path)}
    process = start(copied, cache_dir, "optim.lr=0.01", *keys)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert ("holds a run (finished)" if not keys else "optim.lr=0.01 (was 0.02)") in errors
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_of_other_files_is_refused(cache_dir, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.docx").write_text("years of work")
    process = start(run, cache_dir)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "holds other files (thesis.docx)" in errors
    assert [path.name for path in run.iterdir()] == ["thesis.docx"]


class TestResume:
    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ("optim.lr=0.5", "optim.lr=0.5 (was 0.02)"),
            ("optim=sgd", "optim=sgd cannot be given beside resume="),
            ("data.images=40", "data.images=40 (was 60)"),
            ("seed=3", "seed=3 (was 0)"),
            ("trainer.epochs=3", "trainer.epochs=3 (is no key of that run)"),
            ("hydra.run.dir=elsewhere", "hydra.run.dir=elsewhere cannot be given beside resume="),
        ],
    )
    def test_what_would_change_the_result_is_refused_by_name(self, change, refusal, whole, tmp_path):
        done = run_command("train.py", f"resume={whole}", change, cwd=tmp_path)
        assert done.returncode == 2
        assert refusal in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_more_epochs_are_trained(self, copied, tmp_path):
        done = run_command("train.py", f"resume={copied}", "trainer.max_epochs=5", "trainer.threads=1", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(table(copied / "metrics.csv")) == 5
        config = (copied / ".hydra/config.yaml").read_text()
        assert "max_epochs: 5" in config
        assert (copied / "train.log").read_text().count("epoch 5/5") == 1

    @pytest.mark.parametrize("name", ["mistyped", "empty", "of_nothing"])
    def test_a_folder_without_a_run_or_a_checkpoint_is_refused(self, name, copied, tmp_path):
        (tmp_path / "empty").mkdir()
        shutil.copytree(copied, tmp_path / "of_nothing", ignore=shutil.ignore_patterns("checkpoints"))
        rule = {"mistyped": "there is no such folder", "empty": "holds no run", "of_nothing": "holds no checkpoint"}
        done = run_command("train.py", f"resume={name}", cwd=tmp_path)
        assert done.returncode == 2
        assert rule[name] in done.stderr
        assert not (tmp_path / "mistyped").exists()

    def test_the_older_way_has_the_same_checks(self, cache_dir, tmp_path):
        process = start(tmp_path / "mistyped", cache_dir, "ckpt_path=last")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "there is no such folder" in errors
        assert not (tmp_path / "mistyped").exists()

    def test_a_checkpoint_of_another_run_has_them_too(self, whole, cache_dir, tmp_path):
        process = start(tmp_path / "new", cache_dir, f"ckpt_path={whole}/checkpoints/last.ckpt", "optim=sgd")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "optim.name=sgd (was adamw)" in errors
        assert not (tmp_path / "new").exists()
