"""What an archive of many images costs: time and memory of predict.py by the number of images.

python -m benchmarks.scale CHECKPOINT                       10^3, 10^4 and 10^5 images, no overlays
python -m benchmarks.scale CHECKPOINT --images 1000 10000
python -m benchmarks.scale CHECKPOINT --fresh 1000          all but 1000 have a row of an earlier run: not hours
python -m benchmarks.scale CHECKPOINT --resume 100000       how long one takes to go on that was killed at half
python -m benchmarks.scale CHECKPOINT --merge 100000        ten shards, whose rows are of before, and their merge

The images are links to a few small simulated ones, so that a small network measures them in milliseconds: what grows
with their number is to be seen. `--sizes` adds a table of pixel sizes, `--list` gives a list file
instead of the folder, `--index` an index with sizes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from fetal_seg.config.shards import Shard
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import write_image
from fetal_seg.models.weights import locate

ROOT = Path(__file__).resolve().parent.parent
KINDS, HEIGHT, WIDTH = 8, 64, 96  # different images, and their size in px
PER_FOLDER = 1000
THUMBNAILS = 1000
SHARDS = 10


@dataclass(frozen=True)
class Cost:
    """What a prediction of so many images took: seconds, seconds of the processor, and the most memory in bytes."""

    images: int
    seconds: float
    processor: float
    peak: int


def main() -> None:
    """Print a line for each number of images; the last column is what each further image takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="a file, or pretrained")
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--fresh", type=int, help="images that are measured; the others have a row from before")
    parser.add_argument("--resume", type=int, help="images, of which half have a row from before a kill")
    parser.add_argument("--merge", type=int, help="images of ten shards that are merged")
    parser.add_argument("--sizes", action="store_true", help="a pixel size for each image, from a CSV")
    parser.add_argument("--list", action="store_true", help="a list file as the input")
    parser.add_argument("--index", action="store_true", help="an index CSV with pixel sizes as the input")
    parser.add_argument("--keys", nargs="*", default=["overlays=false"], help="further keys of predict.py")
    options = parser.parse_args()
    from benchmarks.machine import machine_line

    print(machine_line(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = [f"ckpt={locate(options.checkpoint).absolute()}", *options.keys]
        if options.resume:
            print(_resumed(folder, keys, options.resume), flush=True)
            return
        if options.merge:
            print(_merged(folder, keys, options.merge), flush=True)
            return
        before: Cost | None = None
        for images in options.images:
            given = _input(folder / f"in_{images}", images, options)
            if options.fresh and before:
                _copy_rows(folder, folder / f"out_{images}", map(_name, range(images - options.fresh)))
                given.append("predict.resume=true")
            cost = _cost(folder, [*keys, *given], images)
            print(_line(cost, before), flush=True)
            before = cost


def _line(cost: Cost, before: Cost | None) -> str:
    line = f"{cost.images:7d} images: {cost.seconds:7.1f} s, {cost.processor:7.1f} s of CPU, {cost.peak / 1e6:6.0f} MB"
    if before is None:
        return line
    more = cost.images - before.images
    each = 1000 * (cost.processor - before.processor) / more
    seconds = 1000 * (cost.seconds - before.seconds) / more
    return f"{line} ({cost.peak / before.peak:.3f} of the line above); each more {seconds:.2f} ms, {each:.2f} ms of CPU"


def _input(folder: Path, images: int, options: argparse.Namespace) -> list[str]:
    """Make the input; the keys that name it."""
    names = list(_write_images(folder, images))
    given = folder
    if options.list:
        given = folder / "list.txt"
        given.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    if not (options.sizes or options.index):
        return [f"input={given}"]
    table = folder / "index.csv"
    rows = "".join(f"{name},{_size_mm(number)}\n" for number, name in enumerate(names))
    table.write_text(f"filename,pixel size(mm)\n{rows}", encoding="utf-8")
    return [f"input={table}"] if options.index else [f"input={given}", f"pixel_size_csv={table}"]


def _write_images(folder: Path, images: int) -> Iterator[str]:
    """Write few images and link them under many names; the names."""
    rng = np.random.default_rng(0)
    kinds = folder.parent / "kinds"
    for kind in range(KINDS):
        head = Ellipse(48 + kind % 3, 32, 26 + kind % 4, 18 + kind % 5, 0.2 * kind)
        noise = rng.integers(0, 40, (HEIGHT, WIDTH))
        if not (kinds / f"{kind}.png").is_file():  # else rows of before would be of other files
            write_image(kinds / f"{kind}.png", (noise + 150 * head.coverage(HEIGHT, WIDTH)).astype(np.uint8))
    for number in range(images):
        name = _name(number)
        if number % PER_FOLDER == 0:
            (folder / name).parent.mkdir(parents=True)
        (folder / name).symlink_to(kinds / f"{number % KINDS}.png")
        yield name


def _size_mm(number: int) -> float:
    return 0.1 + number % 7 / 100


def _name(number: int) -> str:
    return f"{number // PER_FOLDER:04d}/{number:07d}.png"


def _copy_rows(folder: Path, output: Path, names: Iterable[str], shard: Shard | None = None) -> None:
    """Begin the results of many images with rows of the first ones, as if those had been measured."""
    measured = next(path for path in sorted(folder.glob("out_*")) if (path / "predictions.jsonl").is_file())
    output.mkdir(parents=True)
    settings = json.loads((measured / "settings.json").read_text(encoding="utf-8"))
    settings |= {"shard": str(shard)} if shard else {}
    (output / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    rows = [json.loads(line) for line in (measured / "predictions.jsonl").open(encoding="utf-8")][:KINDS]
    with (output / "predictions.partial.jsonl").open("w", encoding="utf-8") as partial:
        for place, name in enumerate(names):
            number = int(Path(name).stem)
            source = (measured / rows[number % KINDS]["mask"]).resolve()
            row = rows[number % KINDS] | {"file": name, "mask": f"masks/{name}"}
            if row.get("pixel_size_mm") is not None:
                row["pixel_size_mm"] = _size_mm(number)
            partial.write(json.dumps(row) + "\n")
            if place < THUMBNAILS:  # the contact sheets look at them again
                (output / row["mask"]).parent.mkdir(parents=True, exist_ok=True)
                os.link(source, output / row["mask"])


def _cost(folder: Path, keys: list[str], images: int) -> Cost:
    output = folder / f"out_{images}"
    seconds, used = _run(folder, [*keys, f"output={output}"])
    with (output / "predictions.jsonl").open(encoding="utf-8") as rows:
        flags = [json.loads(row)["flag"] for row in rows]
    assert len(flags) == images, f"{len(flags)} rows"
    return Cost(images, seconds, used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss)


def _resumed(folder: Path, keys: list[str], images: int) -> str:
    """Begin with rows of half of the images, as a kill leaves them; tell when the next one has its row."""
    _measure_kinds(folder, keys, images)
    _copy_rows(folder, folder / f"out_{images}", map(_name, range(images // 2)))
    partial = folder / f"out_{images}" / "predictions.partial.jsonl"
    size = partial.stat().st_size
    start = time.perf_counter()
    given = [f"input={folder / f'in_{images}'}", f"output={partial.parent}", "predict.resume=true"]
    process = _start(folder, [*keys, *given])
    while partial.stat().st_size <= size and process.poll() is None:
        time.sleep(0.05)
    seconds, used = time.perf_counter() - start, psutil.Process(process.pid).cpu_times()
    if process.poll() is not None:
        raise RuntimeError((folder / "errors.txt").read_text(encoding="utf-8"))
    process.kill()
    process.wait()
    return (
        f"{images // 2} of {images} images have a row: the next one has its own {seconds:.1f} s after the command, "
        f"{used.user + used.system:.1f} s of CPU"
    )


def _merged(folder: Path, keys: list[str], images: int) -> str:
    """Write the results of all shards, with rows of before; tell how long their merge takes."""
    _measure_kinds(folder, keys, images)
    output, given = folder / "merged", [f"input={folder / f'in_{images}'}", "predict.resume=true"]
    for shard in (Shard(number, SHARDS) for number in range(1, SHARDS + 1)):
        _copy_rows(folder, output / shard.folder, filter(shard.__contains__, map(_name, range(images))), shard)
        _run(folder, [*keys, *given, f"output={output}", f"predict.shard={shard}"])
    merging = [f"predictions=[{output}]", f"output={folder / 'all'}", "format=parquet"]
    seconds, used = _run(folder, merging, script="report.py")
    return (
        f"{images} rows of {SHARDS} shards are merged in {seconds:.1f} s, {images / seconds:.0f} rows/s, with "
        f"{1024 * used.ru_maxrss / 1e6:.0f} MB: CSV, JSON lines, Parquet and the page"
    )


def _measure_kinds(folder: Path, keys: list[str], images: int) -> None:
    """Write the images, and measure one of each kind, whose rows can be copied then."""
    for count in (KINDS, images):
        for _ in _write_images(folder / f"in_{count}", count):
            pass
    _cost(folder, [*keys, f"input={folder / f'in_{KINDS}'}"], KINDS)


def _run(folder: Path, keys: list[str], script: str = "predict.py") -> tuple[float, resource.struct_rusage]:
    """Call a script and let it end; its seconds, and what it used."""
    start = time.perf_counter()
    process = _start(folder, keys, script)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise RuntimeError((folder / "errors.txt").read_text(encoding="utf-8"))
    return seconds, used


def _start(folder: Path, keys: list[str], script: str = "predict.py") -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(ROOT / script), *keys]
    with (folder / "errors.txt").open("wb") as errors:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)


if __name__ == "__main__":
    main()
