"""The Dockerfile, without Docker: what its instructions say, and its commands run in a folder instead of an image."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fetal_seg.images.grey import write_image
from tests.conftest import DRAWN, ROOT, drawn_head


def instructions():
    """Instruction and argument of each line, those that go on joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


def arguments(name):
    return [argument for instruction, argument in instructions() if instruction == name]


def test_the_image_is_slim_and_has_nothing_of_what_built_it():
    build, last = arguments("FROM")
    assert build == f"{last} AS build"
    assert last == "python:3.11-slim"  # a tag of the official images: no address of a registry
    start = instructions().index(("FROM", last))
    copied = [argument for instruction, argument in instructions()[start:] if instruction == "COPY"]
    assert copied == ["--from=build /opt/fetal_seg /opt/fetal_seg"]


def test_it_runs_as_another_user_than_root():
    names = [name for name, _ in instructions()]
    (user,) = arguments("USER")
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert re.fullmatch(r"[1-9]\d+", user)  # a number, which Kubernetes can tell from root
    assert any(f"--uid {user} " in command for command in arguments("RUN"))
    assert json.loads(arguments("ENTRYPOINT")[0]) == ["fetal-seg"]


def test_docker_gets_what_is_copied_and_nothing_else():
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    copied = [source for argument in arguments("COPY") if "--from" not in argument for source in argument.split()[:-1]]
    assert sorted(copied) == sorted(sent)
    for name in ("data/000_HC.png", ".git/config", "outputs/run.json"):
        assert not any(fnmatch.fnmatch(name, pattern) for pattern in sent)


def others_may_run(program):
    return Path(program).exists() and all(folder.stat().st_mode & 0o001 for folder in Path(program).resolve().parents)


@pytest.fixture
def readable():
    """A folder that any user can read, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif("FETAL_SEG_WHEEL" not in os.environ, reason="FETAL_SEG_WHEEL names no wheel: make test-wheel")
def test_its_commands_make_a_program_that_another_user_measures_a_folder_with(readable):
    wheel, program = readable / "wheel", readable / "program"
    wheel.mkdir()
    for file in (ROOT / "constraints.txt", os.environ["FETAL_SEG_WHEEL"]):
        shutil.copy(file, wheel)
    python = next(filter(others_may_run, (sys.executable, "/usr/bin/python3")), None)  # not one in root's own folder
    build, _ = arguments("RUN")
    build = build.replace("/tmp/wheel", str(wheel)).replace("/opt/fetal_seg", str(program))
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        ["sh", "-ec", build.replace("python -m", f"{python or sys.executable} -m", 1)], env=plain, check=False
    )
    assert done.returncode == 0

    images = readable / "images"
    images.mkdir()
    write_image(images / "scan.png", drawn_head(DRAWN))
    as_other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if python and os.geteuid() == 0 else []
    command = [*as_other, program / "bin" / "fetal-seg", "measure", images, "--pixel-size", "0.12"]
    env = {"PATH": f"{program}/bin:/usr/bin:/bin", "XDG_CACHE_HOME": str(readable / "nowhere"), "HOME": "/nonexistent"}
    done = subprocess.run(command, cwd=images, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "scan.png" in done.stdout
    assert {path.name for path in images.iterdir()} == {"scan.png"}
