"""What a job of a sweep costs in SLURM besides its training, and how many jobs an hour it runs.

tools/slurm.sh start; export SLURM_CONF=/tmp/fetal_seg_slurm/slurm.conf; python -m benchmarks.cluster [JOBS]

It submits so many trainings of one epoch on 24 simulated images, and before them as many jobs that do nothing.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

SLOTS = 2  # of the cluster that tools/slurm.sh makes
KEYS = (
    *("data=phantom", "data.images=24", "data.test_images=3", "data.height=64", "data.width=96", "model.depth=3"),
    *("model.width=8", "trainer=cpu", "trainer.max_epochs=1", "trainer.threads=1", "evaluate=false", "logger=none"),
    *("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", f"hydra.launcher.array_parallelism={SLOTS}"),
)


def seconds_of(command: list[str]) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the figures."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    nothing = seconds_of(
        ["sbatch", "--wait", "--wrap=true", f"--array=0-{jobs - 1}%{SLOTS}", "--output=/dev/null", "--time=5"]
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary, "sweep"), f"data.cache_dir={temporary}/cache"
        seeds = f"seed={','.join(map(str, range(jobs)))}"
        sweep = seconds_of([sys.executable, "train.py", "-m", *KEYS, seeds, cache, f"hydra.sweep.dir={folder}"])
        trained = mean(json.loads(file.read_text())["wall_time_s"] for file in folder.glob("*/run.json"))
    print(f"{jobs} jobs that do nothing: {nothing:.0f} s, {nothing * SLOTS / jobs:.1f} s of a slot each")
    print(f"{jobs} trainings of {trained:.1f} s: {sweep:.0f} s with the report, {3600 * jobs / sweep:.0f} jobs an hour")
    print(f"so a job costs {sweep * SLOTS / jobs - trained:.1f} s of a slot besides its training")


if __name__ == "__main__":
    main()
