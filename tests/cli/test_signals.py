"""Signals at any time: one line that tells how to go on, the status of the signal, and no run that runs for ever."""

import importlib
import signal
import sys
import time
from functools import partial

import pytest
from omegaconf import OmegaConf

from fetal_seg.cli.signals import heeding, how_to_go_on
from fetal_seg.errors import Interrupted
from tests.conftest import QUICK, ROOT, run_command, table
from tests.forking import ForkedCommand
from tests.trainings import KEYS, record, start, start_new, start_python, wait_for


def started(script, *arguments, cwd):
    return ForkedCommand(ROOT / script, arguments, cwd)


def ignore_hangups():  # as nohup does
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_before_a_training_begins_it_is_told_to_start_again(number, cache_dir, tmp_path):
    run = tmp_path / "run"
    process = (start_new if number == signal.SIGTERM else start)(run, cache_dir)  # the first imports PyTorch then
    wait_for((run / ".hydra" / "config.yaml").is_file, process)
    process.send_signal(number)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "interrupted" in told + errors
    assert "Traceback" not in errors
    assert not (run / "run.json").is_file() or record(run)["status"] == "interrupted"


def test_a_signal_as_soon_as_a_run_says_that_it_runs_is_written_there(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir)
    wait_for((run / "run.json").is_file, process)
    process.send_signal(signal.SIGTERM)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert record(run)["status"] == "interrupted"
    assert "go on with: python train.py" in told
    if not (run / "checkpoints" / "last.ckpt").is_file():
        assert "resume=" not in told  # there is nothing to go on from


def test_one_that_came_in_the_evaluation_says_so(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, "trainer.max_epochs=1", "evaluate=true")
    wait_for((run / "curves.png").is_file, process)
    process.send_signal(signal.SIGTERM)
    told, errors = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the evaluation was faster than the signal")
    assert process.returncode == 143, errors
    assert "interrupted after the last epoch" in told
    assert record(run)["cause"] == "SIGTERM after the last epoch"


def test_what_started_a_command_may_have_hangups_ignored(cache_dir, tmp_path):
    run = tmp_path / "run"
    process = start(run, cache_dir, prepare=ignore_hangups)
    wait_for((run / "metrics.csv").is_file, process)
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def test_a_prediction_goes_on_where_it_was_interrupted(good, tmp_path, phantoms):
    """The line that it prints, word for word."""
    import shlex
    import zipfile

    (tmp_path / "in put").mkdir()
    with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
        content = archive.read(next(name for name in archive.namelist() if name.endswith(".png")))
    for number in range(60):
        (tmp_path / "in put" / f"{number:02d}.png").write_bytes(content)
    process = started("predict.py", f"ckpt={good}", "input=in put", "output=o ut", cwd=tmp_path)
    wait_for((tmp_path / "o ut" / "predictions.partial.jsonl").is_file, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    line = next(line for line in errors.splitlines() if line.startswith("interrupted"))
    python, script, *arguments = shlex.split(line.partition("go on with: ")[2])
    assert (python, script) == ("python", "predict.py")
    done = run_command("predict.py", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(table(tmp_path / "o ut" / "predictions.csv")) == 60


def test_an_evaluation_is_started_again(good, cache_dir, tmp_path):
    process = started("evaluate.py", f"ckpt={good}", f"data.cache_dir={cache_dir}", "output=out", cwd=tmp_path)
    wait_for((tmp_path / "out" / ".hydra").is_dir, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert errors.strip().splitlines()[-1] == "interrupted; nothing is half written: start it again"


def test_a_sweep_that_has_not_begun_says_so(tmp_path):
    process = start_python(["-m", *QUICK, "seed=0,1", "hydra.sweep.dir=sweep"], tmp_path)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    told, errors = process.communicate(timeout=60)
    assert process.returncode in (143, -signal.SIGTERM)  # the latter while Python itself starts
    assert process.returncode < 0 or "interrupted" in told + errors or "sweep.resume=sweep" in told + errors


def test_a_search_names_itself_and_not_a_trial(cache_dir, tmp_path):
    space = "search.space={optim.weight_decay: [0.01, 0.02, 0.03]}"
    keys = [*KEYS, "trainer.max_epochs=40", f"data.cache_dir={cache_dir}", space, "output=se arch"]
    process = started("search.py", *keys, cwd=tmp_path)
    wait_for((tmp_path / "se arch" / "0" / "metrics.csv").is_file, process)
    process.send_signal(signal.SIGTERM)
    told, errors = process.communicate(timeout=120)
    assert process.returncode == 143, errors
    assert "train.py resume=" not in told + errors
    assert "python search.py" in told + errors
    assert f"'output={tmp_path}/se arch'" in told + errors
    assert "hydra.run.dir" not in told


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("predict", ["input=a b"], "python predict.py 'input=a b' output={} predict.resume=true"),
        (
            "predict",
            ["input=a", "output=x", "predict.resume=false"],
            "python predict.py input=a output={} predict.resume=true",
        ),
        ("search", ["experiment=ablation"], "python search.py experiment=ablation output={}"),
    ],
)
def test_the_line_repeats_what_was_given(name, arguments, line, tmp_path):
    script, program = [f"/there/{name}.py", *arguments], ["/bin/fetal-seg", name, *arguments]
    assert how_to_go_on(name, script, tmp_path) == f"interrupted; go on with: {line.format(tmp_path)}"
    installed = line.replace(f"python {name}.py", f"fetal-seg {name}").format(tmp_path)
    assert how_to_go_on(name, program, tmp_path) == f"interrupted; go on with: {installed}"
    assert how_to_go_on("evaluate", script, tmp_path) == "interrupted; nothing is half written: start it again"
    assert how_to_go_on(name, script, None) == "interrupted; nothing is half written: start it again"


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGTERM, Interrupted), (signal.SIGINT, KeyboardInterrupt)])
def test_a_module_that_is_imported_comes_to_its_end_first(number, raised, tmp_path, monkeypatch, request):
    """Extension modules that are broken off lack functions afterwards, or end the process by SIGSEGV."""
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever runs the tests has it ignored
    monkeypatch.delitem(sys.modules, "half_way", raising=False)
    (tmp_path / "half_way.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(raised), heeding():
        module = importlib.import_module("half_way")
        assert module.whole
        time.sleep(30)


def test_omegaconf_makes_no_error_of_a_signal():
    OmegaConf.register_new_resolver("signalled", lambda: signal.raise_signal(signal.SIGTERM) or "whole", replace=True)
    try:
        with pytest.raises(Interrupted), heeding():
            assert OmegaConf.create({"a": "${signalled:}"}).a == "whole"
            time.sleep(30)
    finally:
        OmegaConf.clear_resolver("signalled")


def test_handlers_are_as_they_were_afterwards():
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = [signal.getsignal(number) for number in numbers]
    with heeding():
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    assert [signal.getsignal(number) for number in numbers] == before
