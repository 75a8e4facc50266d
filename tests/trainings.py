"""Trainings as other processes, which tests disturb."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import QUICK, ROOT
from tests.forking import ForkedCommand

KEYS = [*QUICK, "data.images=60", "trainer.max_epochs=4", "model.dropout=0.1", "trainer.log_images=0", "evaluate=false"]
DIVERGING = [  # at a rate of 10, on any CPU
    *("optim=sgd", "trainer.gradient_clip_val=0", "scheduler=none"),
    *("model.norm=none", "trainer.precision=32-true"),
]


def hear():
    """Heed the signals that a shell has processes in the background, these tests say, ignore."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def line(run, cache_dir, *arguments):
    """The arguments of a training."""
    return [*KEYS, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}", *arguments]


def start(run, cache_dir, *arguments, prepare=None):
    """A training that need not import PyTorch first."""
    return ForkedCommand(ROOT / "train.py", line(run, cache_dir, *arguments), run.parent, prepare=prepare)


def start_new(run, cache_dir, *arguments):
    """A training as a shell starts it."""
    return start_python(line(run, cache_dir, *arguments), run.parent)


def start_python(arguments, cwd):
    """A new process of train.py, with all that it imports."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear,  # noqa: PLW1509  # reason: it takes no lock
    )


def wait_for(condition, process, timeout=90):
    end = time.monotonic() + timeout
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


def record(run):
    return json.loads((run / "run.json").read_text())


def workers(parent, folder):
    """Processes of a sweep that have the lock of a job open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if int(process.name) != parent and any(Path(link).name == ".lock" and str(folder) in link for link in links):
            found.append(int(process.name))
    return found
