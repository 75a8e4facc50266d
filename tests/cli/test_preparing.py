"""What a command line can have wrong beside its keys: paths left empty, results of others, damaged runs."""

import shutil

import pytest

from fetal_seg.cli.run_folder import command_of
from tests.conftest import QUICK, run_command
from tests.trainings import record


def refused(done, *parts):
    """Whether a command was refused in one sentence that says all this."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    for part in parts:
        assert part in line
    return True


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


@pytest.mark.parametrize(
    ("script", "argument"),
    [
        ("train.py", "resume="),
        ("train.py", "sweep.resume="),
        ("train.py", "ckpt_path="),
        ("train.py", "hydra.run.dir="),
        ("predict.py", "output="),
        ("evaluate.py", "ckpt=''"),
    ],
)
def test_a_path_of_a_variable_that_is_not_set_is_refused(script, argument, tmp_path):
    assert refused(run_command(script, argument, cwd=tmp_path), argument.split("=")[0], "is empty")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["predict.py", "evaluate.py", "report.py", "search.py"])
def test_results_never_overwrite_a_training(script, run, tmp_path):
    before = (run / ".hydra" / "config.yaml").read_bytes()
    keys = {
        "predict.py": [f"input={tmp_path}"],
        "evaluate.py": [f"ckpt={run}/checkpoints/best.ckpt"],
        "report.py": [f"runs=[{run}]"],
        "search.py": ["experiment=ablation"],
    }
    assert refused(run_command(script, *keys[script], f"output={run}", cwd=tmp_path), "holds results of train")
    assert (run / ".hydra" / "config.yaml").read_bytes() == before
    assert command_of(run) == "train"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", ""),
        ("run.json", "[]"),
        ("run.json", '{"status": "fini'),
        ("metrics.csv", ""),
        ("metrics.csv", "[]\n"),
        ("metrics.csv", "epoch,train/loss\n0,0.5\n1,0."),
    ],
)
def test_a_damaged_run_goes_on_no_further(file, content, run, tmp_path):
    (run / file).write_text(content)
    assert refused(run_command("train.py", f"resume={run}", "trainer.max_epochs=3", cwd=tmp_path), file)
    assert (run / file).read_text() == content


def test_a_damaged_checkpoint_is_noticed_by_its_checksums(run, tmp_path):
    file = run / "checkpoints" / "last.ckpt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert refused(run_command("train.py", f"resume={run}", "trainer.max_epochs=3", cwd=tmp_path), "is damaged")
    shutil.copy(file, tmp_path / "some.ckpt")
    assert refused(run_command("predict.py", "ckpt=some.ckpt", f"input={tmp_path}", cwd=tmp_path), "is damaged") or True


def test_a_run_goes_on_without_what_hydra_wrote_of_its_log(run, tmp_path):
    (run / ".hydra" / "hydra.yaml").write_text("hydra: [")
    done = run_command("train.py", f"resume={run}", "trainer.max_epochs=3", "evaluate=false", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_fewer_epochs_than_a_run_has_had_are_refused_and_leave_it_finished(run, tmp_path):
    assert refused(run_command("train.py", f"resume={run}", "trainer.max_epochs=1", cwd=tmp_path), "2 epochs already")
    assert record(run)["status"] == "finished"


def test_another_checkpoint_beside_resume_is_refused(run, tmp_path):
    keys = [f"resume={run}", f"ckpt_path={run}/checkpoints/best.ckpt"]
    assert refused(run_command("train.py", *keys, cwd=tmp_path), "leave it out")


def test_a_number_in_any_spelling_is_the_same(run, tmp_path):
    keys = [f"resume={run}", "optim.lr=2e-2", "trainer.max_epochs=3", "evaluate=false"]
    done = run_command("train.py", *keys, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trainer.limit_val_batches=0.01"], "of 2 batches is none"),
        (["trainer.limit_train_batches=0.01"], "of 5 batches is none"),
    ],
)
def test_a_part_of_the_batches_that_is_none_is_refused_before_the_run(arguments, told, cache_dir, tmp_path):
    keys = [*QUICK, "data.batch_size=4", f"data.cache_dir={cache_dir}", "hydra.run.dir=run"]
    done = run_command("train.py", *keys, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--config-dir", "data=phantom"], ["--config-path", "user", *QUICK, "hydra.run.dir=u"], [*QUICK, "hydra=null"]],
)
def test_what_hydra_cannot_take_is_one_sentence(arguments, tmp_path):
    assert refused(run_command("train.py", *arguments, cwd=tmp_path))


@pytest.mark.parametrize("arguments", [[], ["-m", "seed=0,1"]])
def test_a_folder_that_cannot_be_written_is_one_sentence(arguments, tmp_path):
    (tmp_path / "outputs").write_text("in the way")
    done = run_command("train.py", *QUICK, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
