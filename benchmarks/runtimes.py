"""The pretrained weights by each runtime, side by side: time, size, and how far circumferences and flags are off.

python -m benchmarks.runtimes [--images N]     run it alone on the machine; a few minutes

It prints a table in Markdown. Each runtime measures the images one after the other, with all cores for its network, in
a process of its own: threads of one that spin would slow the others down. The runtimes take turns, so that a machine
that slows down slows all. Images are HC18's test images where ``HC18_ROOT`` is set, else phantoms.
"""

import argparse
import itertools
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 5  # images that are not timed
HEADINGS = ("runtime", "weights", "network ms", "file to circumference ms", "of PyTorch float32's")
HEADINGS += ("circumference %", "other flags", "MB")
Image = tuple[Path, float]  # a file and the size of its pixels, mm


@dataclass(frozen=True)
class Way:
    """A way to run the network.

    Attributes:
        weights: their numbers, as tables call them.
        checkpoint: a file, or ``pretrained``.
        precision: see `Predictor.load`.
    """

    weights: str
    checkpoint: str
    precision: str = "auto"

    @property
    def megabytes(self) -> float:
        """Size of its files."""
        from fetal_seg.models.weights import locate

        file = locate(self.checkpoint)
        return sum(part.stat().st_size for part in {file, file.with_suffix(".bin")} if part.is_file()) / 1e6


@dataclass(frozen=True)
class Times:
    """What a way makes of all images.

    Attributes:
        name: what runs the network.
        found: circumference, px, None without a head, and flag of each image.
        network, whole: milliseconds of each image, of the network alone and from its file to the measurement.
    """

    name: str
    found: tuple[tuple[float | None, str], ...]
    network: tuple[float, ...]
    whole: tuple[float, ...]


def main() -> None:
    """Print the machine, then a row a way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    from benchmarks.machine import machine_line

    print(machine_line(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = _images(folder, options.images)
        ways = [Way("f32", "pretrained", "32-true"), Way("as auto takes", "pretrained"), *_exports(folder)]
        turns: dict[Way, list[Times]] = {way: [] for way in ways}
        for turn in range(options.turns):
            for way, times in turns.items():
                print(f"turn {turn + 1} of {options.turns}: {Path(way.checkpoint).name}", file=sys.stderr, flush=True)
                times.append(_apart(way, images))
        print("|", " | ".join(HEADINGS), "|\n|", " --- |" * len(HEADINGS), sep="")
        for way, times in turns.items():
            print("|", " | ".join(cells(turns[ways[0]], times, way.weights, way.megabytes)), "|")


def cells(reference: Sequence[Times], turns: Sequence[Times], weights: str, megabytes: float) -> list[str]:
    """The row of a way, of all its turns, beside those of the reference."""
    network, whole, other = (
        statistics.median(value for turn in of for value in getattr(turn, name))
        for of, name in ((turns, "network"), (turns, "whole"), (reference, "whole"))
    )
    pairs = list(zip(reference[0].found, turns[0].found, strict=True))
    percent = [_percent(one, two) for (one, _), (two, _) in pairs]
    flags = sum(one != two for (_, one), (_, two) in pairs)
    off = f"{max(percent):.2g} ({statistics.mean(percent):.2g})"
    return [
        *(turns[0].name, weights, f"{network:.1f}", f"{whole:.1f}", f"{whole / other:.2f}"),
        *(off, str(flags), f"{megabytes:.1f}"),
    ]


def _percent(one: float | None, two: float | None) -> float:
    """How far circumferences differ; infinite where one way alone finds a head."""
    if one is None or two is None:
        return 0.0 if one is two else float("inf")
    return 100 * abs(two / one - 1)


def _images(folder: Path, most: int) -> list[Image]:
    """HC18's test images or phantoms, with the sizes of their pixels."""
    from fetal_seg.commands.predict.inputs import find_inputs, find_sizes
    from fetal_seg.data.phantom.writing import write_phantoms

    root = Path(os.environ.get("HC18_ROOT", folder / "phantoms"))
    if not (root / "test_set.zip").is_file():
        write_phantoms(root := folder / "phantoms", train=1, test=most, seed=0)
    find_sizes(files := find_inputs(str(root / "test_set.zip"), folder), None, None)
    return [(file.path, file.pixel_size_mm) for file in itertools.islice(files, most) if file.pixel_size_mm]


def _exports(folder: Path) -> Iterator[Way]:
    """Export the pretrained weights in all ways whose packages are installed."""
    from fetal_seg.models.exported import SUFFIXES
    from fetal_seg.models.runtimes import missing_packages

    for suffix, file_format in SUFFIXES.items():
        for precision in ("f32", "f16", "int8"):
            if missing := missing_packages(file_format, precision):
                print(f"left out: {file_format} in {precision}, without {', '.join(missing)}", flush=True)
                continue
            file = folder / f"{file_format}_{precision}{suffix}"
            print(f"exporting {file.name}", file=sys.stderr, flush=True)
            keys = [f"format={file_format}", f"precision={precision}", f"output={file}"]
            keys += ["max_difference_percent=100", "data.limit=1"]
            done = subprocess.run(
                [sys.executable, ROOT / "export.py", *keys], capture_output=True, text=True, cwd=folder, check=False
            )
            if done.returncode == 0:
                yield Way(precision, str(file))
            else:
                print(f"left out: {file_format} in {precision}: {done.stderr.strip()[-300:]}", flush=True)


def _apart(way: Way, images: Sequence[Image]) -> Times:
    """Measure images in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, way, images).result()


def _measure(way: Way, images: Sequence[Image]) -> Times:
    from fetal_seg.inference.opening import open_runtime
    from fetal_seg.inference.predictor import Predictor

    name = "pytorch" if way.checkpoint == "pretrained" else "auto"  # an export has its own
    runtime = open_runtime(way.checkpoint, "cpu", way.precision, runtime=name)
    look, network, found, whole = runtime.look, [], [], []

    def timed_look(seen: Any) -> Any:
        start = time.perf_counter()
        result = look(seen)
        network[-1] += 1000 * (time.perf_counter() - start)
        return result

    runtime.look = timed_look  # type: ignore[method-assign]  # reason: it is timed
    predictor = Predictor([runtime])
    for path, size in [*images[:WARM_UP], *images]:
        network.append(0.0)
        start = time.perf_counter()
        measured = predictor.measure(path, size)
        whole.append(1000 * (time.perf_counter() - start))
        found.append((measured.hc_px, str(measured.flag)))
    timed = min(WARM_UP, len(images))
    return Times(runtime.used.name, tuple(found[timed:]), tuple(network[timed:]), tuple(whole[timed:]))


if __name__ == "__main__":
    main()
