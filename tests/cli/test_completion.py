"""What a shell completes, asked as the shell asks."""

import os
import shutil
import subprocess

import pytest

from fetal_seg.cli.completion import SCRIPTS, endings
from fetal_seg.cli.main import COMMANDS
from tests.conftest import run_command


def test_commands_and_options():
    assert endings("fetal-seg ") == sorted(f"{name} " for name in COMMANDS)
    assert endings("fetal-seg tr") == ["train "]
    assert endings("fetal-seg --v") == ["--version "]
    assert endings("fetal-seg --completion ") == ["bash ", "fish ", "zsh "]
    assert endings("fetal-seg trian mod") == []


def test_files_are_left_to_the_shell():
    assert endings("fetal-seg measure sc") == []
    assert endings("fetal-seg measure scan.png --p") == ["--pixel-size "]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("fetal-seg train mod", {"model=", "model."}),
        ("fetal-seg train model=", {"model=unet ", "model=lite "}),
        ("fetal-seg train model=smp model.enc", {"model.encoder="}),
        ("fetal-seg train -m optim=ad", {"optim=adam ", "optim=adamw "}),
        ("fetal-seg predict ckpt=", {"ckpt=pretrained "}),
        ("fetal-seg predict input=", set()),
    ],
)
def test_groups_choices_and_keys(program, line, some, tmp_path):
    done = run_command(program, "--complete", line, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {word for word in done.stdout.split("\n") if word}
    assert found >= some
    assert all(word.startswith(line.split()[-1]) for word in found)
    assert found or not some
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_shell_is_one_sentence(program, tmp_path):
    done = run_command(program, "--completion", "tcsh", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: --completion tcsh: there is none; give one of bash, zsh, fish\n",
    )


@pytest.mark.parametrize(
    ("words", "replies"),
    [
        (["fetal-seg", "ev"], ["evaluate "]),
        (["fetal-seg", "train", "model", "=", "un"], ["unet "]),
        (["fetal-seg", "train", "optim", "="], ["adam ", "adamw ", "rmsprop ", "sgd "]),
        (["fetal-seg", "train", "trainer.max_ep"], ["trainer.max_epochs="]),
        (["fetal-seg", "measure", "sc"], []),
    ],
)
def test_bash_completes(program, words, replies, tmp_path):
    """bash parts words at "="; so what it inserts has none before it."""
    line = " ".join(words).replace(" = ", "=").replace(" =", "=")
    script = (
        'eval "$(fetal-seg --completion bash)"\n'
        f"COMP_LINE='{line}' COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}\n"
        f"COMP_WORDS=({' '.join(words)})\n"
        '_fetal_seg\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [word for word in done.stdout.split("\n") if word] == replies


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed here")
@pytest.mark.parametrize(
    ("line", "replies"),
    [("train model=un", ["model=unet"]), ("measure sc", ["scan.png"]), ("predict input=sc", ["input=scan.png"])],
)
def test_fish_completes(program, line, replies, tmp_path):
    (tmp_path / "scan.png").touch()
    script = f"fetal-seg --completion fish | source; complete -C 'fetal-seg {line}'"
    env = {**os.environ, "HOME": str(tmp_path), "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]])}
    done = subprocess.run(["fish", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == replies, done.stderr


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_takes_its_script(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed here")
    (tmp_path / "script").write_text(SCRIPTS[shell])
    done = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
