"""Commands in processes that need not import PyTorch and its like again: each import costs seconds.

A server, which multiprocessing starts once, has imported them; each command is a fork of it. What a command does is
the same but for the imports, so tests of what is imported, or of what a process is told as it starts, take others.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

IMPORTED = ["torch", "lightning.pytorch", "albumentations", "cv2", "hydra", "matplotlib.pyplot", "scipy.stats"]
IMPORTED += ["scipy.ndimage", "scipy.optimize", "torchmetrics.classification", "rich.progress", "joblib", "optuna"]
IMPORTED += ["tensorboard.compat.proto.event_pb2", "torch.utils.tensorboard", "pygments.lexers", "fsspec", "jinja2"]
IMPORTED += ["fetal_seg.cli.entry_points", "fetal_seg.cli.validation", "fetal_seg.commands.train", "tests.forking"]
IMPORTED += ["fetal_seg.commands.evaluate", "fetal_seg.commands.predict.command", "fetal_seg.commands.report"]
IMPORTED += ["fetal_seg.training.trainer", "fetal_seg.training.task", "fetal_seg.training.datamodule"]
IMPORTED += ["fetal_seg.models.networks.encoder_decoder", "fetal_seg.inference.pytorch", "fetal_seg.report.run.curves"]
IMPORTED += ["fetal_seg.report.run.accuracy", "fetal_seg.report.terminal", "fetal_seg.report.prediction.page"]
IMPORTED += ["fetal_seg.commands.predict.results_folder", "fetal_seg.report.study.page", "fetal_seg.commands.export"]
IMPORTED += ["torch.onnx._internal.exporter._core", "torch._dynamo", "torch._refs", "torch._functorch.aot_autograd"]


def forking_context():
    """Processes of functions, by multiprocessing, that have all imported already; Windows has no such."""
    if not hasattr(os, "fork"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


class ForkedCommand:
    """A call of a script that runs, as `subprocess.Popen` has it; its output lies in files."""

    def __init__(self, script, arguments, cwd, env=None, prepare=None, log=None):
        """Start it.

        Args:
            env: the whole environment; by default that of this process.
            prepare: a function of a module, called in the new process before the command.
            log: a file to which all output is added; by default it can be read here.
        """
        self.args = [str(script), *map(str, arguments)]
        self.stdout, self.stderr = (
            tempfile.NamedTemporaryFile("r", encoding="utf-8")  # noqa: SIM115  # reason: read when it has ended
            for _ in range(2)
        )
        files = [log or self.stdout.name, log or self.stderr.name]
        given = (self.args, str(cwd), dict(os.environ if env is None else env), files, prepare)
        self._process = forking_context().Process(target=_run, args=given)
        self._process.start()
        self.pid = self._process.pid
        atexit.register(self.kill)  # before multiprocessing would wait for it

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self.returncode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def communicate(self, timeout=None):
        self.wait(timeout)
        return self.stdout.read(), self.stderr.read()

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        if self.returncode is None:
            self._process.kill()


def fork_command(script, arguments, cwd, timeout, env=None):
    """Call a script; returns the finished process, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds, and was killed.
    """
    process = ForkedCommand(script, arguments, cwd, env)
    try:
        told = process.communicate(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess([sys.executable, *process.args], process.returncode, *told)


def _run(line, cwd, environment, files, prepare):
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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as a process of a shell, whoever started the tests
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if prepare is not None:
        prepare()
    sys.argv = line
    sys.path[0] = str(Path(line[0]).parent)
    try:
        runpy.run_path(line[0], run_name="__main__")
    finally:  # as Python ends; what is registered there ends the workers of joblib
        threading._shutdown()
        atexit._run_exitfuncs()
