"""Commands killed at random moments and called again: ``python -m benchmarks.kills [COUNT] [SEED]``.

By turns a training, a prediction, a sweep and a search are killed, each with its worker processes. The moment is
uniform over the time that an undisturbed one takes. Every second one is killed again while it goes on. In the end it
must have what the undisturbed one has:

- a training: the tensors of ``last.ckpt`` and ``best.ckpt`` to the bit, and ``metrics.csv`` but for the seconds;
- a prediction: its tables and its masks, byte for byte;
- a sweep: what trainings must have, for each job, and the same table of all;
- a search: the same trials in the same order, with the same outcome, value and epochs. Those that a kill cut off are
  left out: they come again. It has one worker, since the sampler learns from what has ended, and of two workers
  chance decides which ends first.

No temporary file may be left in the folder.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.differences import left_over, of_predictions, of_searches, of_sweeps, of_trainings
from benchmarks.machine import machine_line
from fetal_seg.cli.run_folder import CHECKPOINT
from fetal_seg.cli.sweep import JOBS_FILE
from fetal_seg.data.phantom.writing import write_phantoms

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300.0  # s, after which a command that goes on is taken to hang
IMAGES, TEST_IMAGES = 24, 12
COPIES = 8  # of each test image, so that a prediction does not end at once


@dataclass(frozen=True)
class Kind:
    """A kind of command.

    Attributes:
        command: its script and arguments for a folder, which may hold what a killed one left.
        differences: of a folder from that of an undisturbed one, in words.
    """

    name: str
    command: Callable[[Path], list[str]]
    differences: Callable[[Path, Path], Iterable[str]]


@dataclass(frozen=True)
class Undisturbed:
    """A command that nobody killed: the folder of its results, and its seconds."""

    kind: Kind
    folder: Path
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """A command that was killed.

    Attributes:
        moments: of the kills, seconds from each start; a command that had ended before has none.
        seconds: of all its calls.
        differences: from the undisturbed one, and what failed; none if it survived.
    """

    kind: Kind
    command: str
    moments: tuple[float, ...]
    seconds: float
    differences: tuple[str, ...]


def main() -> None:
    """Kill, print an outcome each and a table; exit with 1 if one did not survive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=100, help="commands to kill")
    parser.add_argument("seed", nargs="?", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
    console.print(machine_line())
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wholes = [undisturbed(kind, folder) for kind in kinds(folder)[: options.count]]
        for number in range(options.count):
            whole = wholes[number % len(wholes)]
            moments = np.random.default_rng([options.seed, number]).uniform(0, whole.seconds, 2)
            is_twice = number // len(wholes) % 2 == 1
            outcomes.append(killed(whole, folder / f"{number}", moments[: 1 + is_twice].tolist()))
            console.print(f"{number + 1}/{options.count} {_sentence(outcomes[-1])}")
    console.print(_table(wholes, outcomes))
    lost = [outcome for outcome in outcomes if outcome.differences]
    for outcome in lost:
        console.print(f"{_sentence(outcome)}\n  {outcome.command}", *outcome.differences, sep="\n  ")
    sys.exit(1 if lost else 0)


def kinds(folder: Path) -> list[Kind]:
    """All kinds, on phantoms below `folder`; a prediction takes the checkpoint of the undisturbed training there."""
    data = ["data=phantom", f"data.root={folder / 'phantoms'}", f"data.cache_dir={folder / 'cache'}"]
    size = [
        f"data.images={IMAGES}",
        f"data.test_images={TEST_IMAGES}",
        "data.height=64",
        "data.width=96",
        "model.width=8",
    ]
    how = ["optim.lr=0.02", "model.dropout=0.1", "trainer=cpu", "trainer.threads=1", "trainer.log_images=0"]
    keys = [*data, *size, *how, "evaluate=false"]

    def training(run: Path) -> list[str]:
        if (run / CHECKPOINT).is_file():  # without one, resume= is refused and names the first command
            return ["train.py", f"resume={run}"]
        return ["train.py", *keys, "model.depth=3", "trainer.max_epochs=6", f"hydra.run.dir={run}"]

    def prediction(output: Path) -> list[str]:
        what = [f"ckpt={folder / 'undisturbed_training/checkpoints/best.ckpt'}", f"input={folder / 'images'}"]
        how = ["pixel_size_mm=0.2", "overlays=false", "predict.resume=true", "device=cpu"]
        return ["predict.py", *what, *how, f"cache_dir={folder / 'cache'}", f"output={output}"]

    def sweep(output: Path) -> list[str]:
        if (output / JOBS_FILE).is_file():
            return ["train.py", f"sweep.resume={output}"]
        launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"hydra.sweep.dir={output}"]
        return ["train.py", "-m", *keys, "model.depth=2,3", "trainer.max_epochs=4", *launcher]

    def search(output: Path) -> list[str]:
        space = "search.space={model.depth: [2,3], optim.lr_factor: {low: 0.01, high: 1.0, log: true}}"
        how = ["trainer.max_epochs=3", "search.trials=4", "search.startup_trials=2", "search.workers=1"]
        return ["search.py", *keys, space, *how, f"output={output}"]

    write_phantoms(folder / "phantoms", train=IMAGES, test=TEST_IMAGES, seed=0)
    with zipfile.ZipFile(folder / "phantoms" / "test_set.zip") as archive:
        for copy in range(COPIES):
            archive.extractall(folder / "images" / f"{copy}")
    return [
        Kind("training", training, of_trainings),
        Kind("prediction", prediction, of_predictions),
        Kind("sweep", sweep, of_sweeps),
        Kind("search", search, of_searches),
    ]


def undisturbed(kind: Kind, folder: Path) -> Undisturbed:
    """Call a command and let it end."""
    output, log, start = folder / f"undisturbed_{kind.name}", folder / "undisturbed.log", time.perf_counter()
    if _call(kind.command(output), log, LIMIT) != 0:
        raise SystemExit(f"{kind.name} failed undisturbed:\n{log.read_text(encoding='utf-8', errors='replace')}")
    return Undisturbed(kind, output, time.perf_counter() - start)


def killed(whole: Undisturbed, folder: Path, moments: Sequence[float]) -> Outcome:
    """Call a command for `folder`, kill it at each of these moments and call it again; let the last call end."""
    kind, first, start = whole.kind, shlex.join(whole.kind.command(folder)), time.perf_counter()
    log, hits = folder.with_suffix(".log"), []
    for moment in moments:
        if _call(kind.command(folder), log, moment) is None:
            hits.append(moment)
    again = kind.command(folder)
    status = _call(again, log, LIMIT)
    seconds = time.perf_counter() - start
    if status != 0:
        ended = f"had not ended after {LIMIT:.0f} s" if status is None else f"ended with {status}"
        told = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        return Outcome(kind, first, tuple(hits), seconds, (f"{shlex.join(again)} {ended}", *told))
    try:
        differences = (*kind.differences(whole.folder, folder), *left_over(folder))
    except OSError as error:
        differences = (f"a result is missing: {error}",)
    return Outcome(kind, first, tuple(hits), seconds, differences)


def _call(command: Sequence[str], log: Path, seconds: float) -> int | None:
    """The exit status of a command; None where it was killed, with all its workers, after these seconds."""
    script, *arguments = command
    with log.open("ab") as told:
        process = subprocess.Popen(
            [sys.executable, ROOT / script, *arguments],
            cwd=log.parent,
            stdout=told,
            stderr=subprocess.STDOUT,
            env={**os.environ, "JOBLIB_TEMP_FOLDER": str(log.parent)},  # else a killed one's stay in shared memory
            start_new_session=True,
        )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for semaphore in Path("/dev/shm").glob(f"sem.loky-{process.pid}-*"):  # who removes them was killed, too
            semaphore.unlink(missing_ok=True)
        return None


def _sentence(outcome: Outcome) -> str:
    moments = " and ".join(f"{moment:.2f} s" for moment in outcome.moments)
    how = f"killed after {moments}" if moments else "ended before it could be killed"
    return f"{outcome.kind.name} {how}: {'not the same' if outcome.differences else 'the same'}"


def _table(wholes: Sequence[Undisturbed], outcomes: Sequence[Outcome]) -> Table:
    table = Table("kind", "undisturbed", "commands", "kills", "survived", "how long")
    for whole in wholes:
        of_kind = [outcome for outcome in outcomes if outcome.kind == whole.kind]
        kills, survived = sum(len(one.moments) for one in of_kind), sum(not one.differences for one in of_kind)
        seconds = sum(one.seconds for one in of_kind)
        figures = (f"{len(of_kind)}", f"{kills}", f"{survived}", f"{seconds:.0f} s")
        table.add_row(whole.kind.name, f"{whole.seconds:.1f} s", *figures)
    return table


if __name__ == "__main__":
    main()
