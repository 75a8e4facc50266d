"""Commands in processes that need not import PyTorch and its like again: each import costs seconds.

A server, which multiprocessing starts once, has imported them; each command is a fork of it. What a command does is
the same but for the imports, so tests of what is imported, or of what a process is told as it starts, take others.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

IMPORTED = ["torch", "lightning.pytorch", "albumentations", "cv2", "hydra", "matplotlib.pyplot", "scipy.stats"]
IMPORTED += ["scipy.ndimage", "scipy.optimize", "torchmetrics.classification", "rich.progress", "joblib", "optuna"]
IMPORTED += ["fetal_seg.config", "tests.forking"]


def fork_command(script, arguments, cwd, timeout):
    """Call a script; returns the finished process, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds, and was killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    line = [str(script), *arguments]
    with ExitStack() as files:
        told = [files.enter_context(tempfile.NamedTemporaryFile()) for _ in range(2)]
        process = context.Process(target=_run, args=(line, str(cwd), dict(os.environ), [file.name for file in told]))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(line, timeout)
        texts = (Path(file.name).read_text(encoding="utf-8") for file in told)
        return subprocess.CompletedProcess([sys.executable, *line], process.exitcode, *texts)


def _run(line, cwd, environment, files):
    """Be the process of a command: its streams, folder and environment, and no child of pytest's."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, (name, file) in enumerate(zip(("stdout", "stderr"), files, strict=True), start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
        setattr(sys, name, open(number, "w", encoding="utf-8", buffering=1, closefd=False))  # noqa: SIM115  # reason: it is open as long as the process lives
        setattr(sys, f"__{name}__", getattr(sys, name))
    multiprocessing.process._parent_process = None
    sys.argv = line
    sys.path[0] = str(Path(line[0]).parent)
    try:
        runpy.run_path(line[0], run_name="__main__")
    finally:  # as Python ends; what is registered there ends the workers of joblib
        threading._shutdown()
        atexit._run_exitfuncs()
