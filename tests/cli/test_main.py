"""The program fetal-seg, as its user meets it first."""

import subprocess
import sys

import pytest

from fetal_seg.cli import entry_points
from fetal_seg.cli.main import COMMANDS, MEASURE
from fetal_seg.version import __version__
from tests.conftest import run_command


def test_alone_it_shows_its_commands_and_imports_nothing_heavy(program, tmp_path):
    code = (
        "import sys\nfrom fetal_seg.cli.main import main\n"
        "sys.argv = ['fetal-seg']; main()\n"
        "heavy = {'hydra', 'numpy', 'pydantic', 'rich', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert "not a medical device" in done.stdout
    assert run_command(program, "--help", cwd=tmp_path).stdout == done.stdout


def test_each_command_is_a_function():
    for name in COMMANDS:
        assert name == MEASURE or callable(getattr(entry_points, name))


def test_it_tells_its_version(program, tmp_path):
    assert run_command(program, "--version", cwd=tmp_path).stdout == f"fetal-seg {__version__}\n"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("trian", "error: trian is no command; did you mean train?\n"),
        ("--verson", "error: --verson is no command; did you mean --version?\n"),
        ("scan.png", "error: scan.png is no command; did you mean fetal-seg measure scan.png?\n"),
        ("xyz", f"error: xyz is no command; take one of {', '.join(COMMANDS)}\n"),
    ],
)
def test_what_is_no_command_is_one_sentence(program, word, told, tmp_path):
    (tmp_path / "scan.png").touch()
    done = run_command(program, word, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != MEASURE])
def test_help_names_what_was_typed(program, name, tmp_path):
    done = run_command(program, name, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"\nfetal-seg {name} " in done.stdout
    assert ".py" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_errors_name_what_was_typed(program, tmp_path):
    done = run_command(program, "train", "hydra.no.such=1", cwd=tmp_path)
    assert done.returncode == 2
    assert "see fetal-seg train --help" in done.stderr
    assert "python" not in done.stderr


def test_a_reader_may_stop_reading(program, tmp_path):
    line = f'"{sys.executable}" "{program}" train --help | head -1; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].startswith("Train a network")
    assert done.stdout.splitlines()[-1] in ("0", "141")  # 0 where all was written before
