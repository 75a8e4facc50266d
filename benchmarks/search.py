"""How many epochs a search needs to find a sweep's best: ``python -m benchmarks.search SWEEP_FOLDER``.

Nothing is trained: each trial gets the recorded validation Dice of the sweep's job with the same values, epoch by
epoch. So the search can be repeated with many seeds of its sampler.
"""

import argparse
import logging
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from fetal_seg.cli.search import work
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.study import open_study
from fetal_seg.config.search import SearchSettings
from fetal_seg.evaluation.labels import factors
from fetal_seg.evaluation.runs import Run, read_runs
from fetal_seg.progress import ReportEpoch


class Replay:
    """Replays the recorded epochs of a sweep's jobs, and counts them until the best job has ended."""

    def __init__(self, runs: list[Run], keys: list[str]) -> None:
        self._curves = {
            tuple(run.setting(key) for key in keys): [float(row["val/dice"]) for row in run.curves] for run in runs
        }
        self._keys = keys
        self.best = max(max(curve) for curve in self._curves.values())
        self.epochs, self.needed = 0, 0

    def __call__(self, overrides: list[str], run_dir: Path, watch: ReportEpoch) -> bool:
        """A training, as far as it is watched."""
        values = dict(text.split("=", 1) for text in overrides)
        curve = self._curves[tuple(values[key] for key in self._keys)]
        for epoch, dice in enumerate(curve):
            self.epochs += 1
            if watch(epoch, dice):
                return False
        if max(curve) == self.best:
            self.needed = self.epochs
        return True


def main() -> None:
    """Replay searches and print how many found the best, and after how many epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--startup", type=int, default=6)
    parser.add_argument("--pruner", default="median")
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    runs = read_runs([options.sweep])
    keys = factors(runs)
    space = {key: sorted({str(run.setting(key)) for run in runs}) for key in keys}
    whole = sum(len(run.curves) for run in runs)
    searches = []
    for seed in track(range(options.repeats), "searching", console=Console(stderr=True), transient=True):
        replay = Replay(runs, keys)
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            settings = SearchSettings(trials=options.trials, pruner=options.pruner, startup_trials=options.startup)
            plan = SearchPlan(Path(folder), [], space, settings, seed)
            open_study(plan, create=True)
            work(plan, replay)
        searches.append((replay.needed, replay.epochs))
    needed = [epochs for epochs, _ in searches if epochs]
    spent = np.mean([epochs for _, epochs in searches])
    print(f"{options.sweep}: {len(runs)} jobs, {whole} epochs, best val/dice {replay.best:.4f}")
    print(f"{options.trials} trials, {options.pruner} pruner: {spent:.0f} epochs ({spent / whole:.0%} of the grid's)")
    share = f"{len(needed)} of {options.repeats} searches ended with the best of the grid"
    print(
        f"{share}, after {np.median(needed):.0f} epochs ({np.median(needed) / whole:.0%}) in the median"
        if needed
        else share
    )


if __name__ == "__main__":
    main()
