"""How much trainings on one machine slow each other down: ``python -m benchmarks.neighbours``, on an idle machine.

Each is a process with a bare loop over the default network; the table has the images a second of each.
"""

import argparse
import os
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

SECONDS = 10.0


def main() -> None:
    """Print a table: trainings alone, and two at once, with a thread for each core and with half of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", metavar="PRECISION", help="be such a training, and print its rate")
    loop = parser.parse_args().loop
    if loop:
        print(_rate(loop))
        return
    from fetal_seg.models.device import choose_device, choose_precision

    precision = choose_precision("auto", choose_device("cpu")).name
    cores = os.cpu_count() or 1
    half = max(cores // 2, 1)
    table = Table("threads", "images/s of each", title=f"bare loops over encoder_decoder, {precision}, {cores} cores")
    for threads in ([cores], [half], [half, half], [half, cores], [cores, cores]):
        rates = _at_once(threads, precision)
        table.add_row(" + ".join(map(str, threads)), " + ".join(f"{rate:.1f}" for rate in rates))
    Console().print(table)


def _at_once(threads: list[int], precision: str) -> list[float]:
    """Images a second of trainings that run at the same time, each with its number of threads."""
    loops = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.neighbours", "--loop", precision],
            env={**os.environ, "OMP_NUM_THREADS": str(count)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for count in threads
    ]
    return [float(loop.communicate()[0]) for loop in loops]


def _rate(precision: str) -> float:
    from benchmarks.steps import BATCH, named_step

    step = named_step("encoder_decoder", precision)
    step()
    start, count = time.perf_counter(), 0
    while time.perf_counter() < start + SECONDS:
        step()
        count += 1
    return BATCH * count / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
