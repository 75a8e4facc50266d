"""Trainings as other processes, which tests disturb."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import QUICK, ROOT

KEYS = [*QUICK, "data.images=60", "trainer.max_epochs=4", "model.dropout=0.1", "trainer.log_images=0", "evaluate=false"]
DIVERGING = [  # at a rate of 10, on any CPU
    *("optim=sgd", "trainer.gradient_clip_val=0", "scheduler=none"),
    *("model.norm=none", "trainer.precision=32-true"),
]


def hear():
    """Heed the signals that a shell has processes in the background, these tests say, ignore."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(run, cache_dir, *arguments, **options):
    options.setdefault("preexec_fn", hear)
    command = [sys.executable, str(ROOT / "train.py"), *KEYS, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *arguments], cwd=run.parent, stdout=pipe, stderr=pipe, text=True, **options)


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
