"""How fast images are measured, and where the time goes.

python -m benchmarks.prediction CHECKPOINT INPUT     for example pretrained test_set.zip; run it alone on the machine
"""

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
BATCH = 8
TURNS = 3


def main() -> None:
    """Print one image's time and a folder's rate; then the whole command's, and the cost of each stage on its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="a file, or pretrained")
    parser.add_argument("input", type=Path)
    parser.add_argument("--repeats", type=int, default=3, help="of the whole command")
    parser.add_argument("--rates", action="store_true", help="one image's time and a folder's rate alone")
    options = parser.parse_args()
    for line in rates(options.checkpoint, options.input):
        print(line, flush=True)
    if options.rates:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = [_command(options, folder / str(number)) for number in range(options.repeats)]
        count = sum(1 for _ in (folder / "0" / "predictions.jsonl").open())
        megabytes = sum(file.stat().st_size for file in (folder / "0").rglob("*") if file.is_file()) / 1e6
    median = statistics.median(seconds)
    print(f"predict.py: {count} images in {median:.1f} s (median of {options.repeats}), {megabytes:.0f} MB of results")
    total = 0.0
    for stage, milliseconds in _stages(options.checkpoint, options.input):
        total += milliseconds
        print(f"  {stage:44s} {milliseconds:6.1f} ms an image")
    print(f"  {'all of it, one after the other':44s} {total:6.1f} ms an image")


def rates(checkpoint: str, source: Path) -> Iterator[str]:
    """One image at a time, then all of them, each beside the network alone."""
    one, network, spread = _single_images(checkpoint, source)
    yield (
        f"prediction, one image, file to circumference: {one:.1f} ms in the median, 95 % below {spread:.1f} ms; "
        f"without the network {one - network:.1f} ms"
    )
    pipeline, alone = _folder_rates(checkpoint, source)
    yield f"prediction, the network alone, in batches of {BATCH}: {alone:.1f} images/s"
    yield f"prediction, a folder, with masks and overlays: {pipeline:.1f} images/s, {pipeline / alone:.2f} of that"


def _command(options: argparse.Namespace, output: Path) -> float:
    from fetal_seg.models.weights import locate

    start = time.perf_counter()
    checkpoint = locate(options.checkpoint).absolute()
    arguments = [f"ckpt={checkpoint}", f"input={options.input.absolute()}", f"output={output}"]
    subprocess.run(
        [sys.executable, ROOT / "predict.py", *arguments], check=True, capture_output=True, cwd=output.parent
    )
    return time.perf_counter() - start


def _files(source: Path, most: int) -> list[Any]:
    from fetal_seg.commands.predict.inputs import find_inputs, find_sizes
    from fetal_seg.data.loading import cache_folder

    find_sizes(files := find_inputs(str(source), cache_folder(None)), None, 0.1)
    return list(itertools.islice(files, most))


def _single_images(checkpoint: str, source: Path, most: int = 60) -> tuple[float, float, float]:
    """Milliseconds of an image and of its network, medians, and what 95 % of the images stay below."""
    from fetal_seg.images.reader import read_frames
    from fetal_seg.inference.opening import open_runtime
    from fetal_seg.inference.predictor import Predictor

    runtime = open_runtime(checkpoint, "cpu", runtime="pytorch")
    look, spent = runtime.look, []

    def timed_look(images: Any) -> Any:
        seen, milliseconds = _timed(lambda: look(images))
        spent.append(milliseconds)
        return seen

    runtime.look = timed_look  # type: ignore[method-assign]  # reason: it is timed
    predictor = Predictor([runtime])
    images, networks = [], []
    for file in _files(source, most):
        spent.clear()
        _, milliseconds = _timed(
            lambda file=file: predictor.measure(next(read_frames(file.path, file.name)).image, pixel_size_mm=0.1)
        )
        images.append(milliseconds)
        networks.append(sum(spent))
    without = statistics.median(one - network for one, network in zip(images[5:], networks[5:], strict=True))
    median = statistics.median(images[5:])
    return median, median - without, float(np.percentile(images[5:], 95))


def _folder_rates(checkpoint: str, source: Path, most: int = 96) -> tuple[float, float]:
    """Images a second of a folder, from files to masks and overlays, and of the network alone, by turns."""
    import torch

    from fetal_seg.commands.predict.journal import Journal
    from fetal_seg.commands.predict.pipeline import PredictionOptions, measure_files
    from fetal_seg.images.decoders import Decoders
    from fetal_seg.images.decoding import Request
    from fetal_seg.images.reader import read_frames
    from fetal_seg.inference.opening import open_runtime
    from fetal_seg.inference.predictor import Predictor
    from fetal_seg.report.pictures import ContactSheet

    files, runtime = _files(source, most), open_runtime(checkpoint, "cpu", runtime="pytorch")
    letterbox, predictor = (
        runtime.preprocessing.letterbox,
        Predictor.load(checkpoint, "cpu", threads=1, runtime="pytorch"),
    )
    threads = torch.get_num_threads()
    framed = np.stack([letterbox.apply(next(read_frames(file.path, file.name)).image) for file in files])
    pipeline, alone = [], []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as name, Decoders() as decoders:
            folder = Path(name)
            list(decoders.frames(Request(files[0].path, files[0].name)))  # they have started
            journal, sheet = Journal(folder, {}, resume=False), ContactSheet(folder)
            work = (folder, predictor, files, PredictionOptions())
            _, milliseconds = _timed(lambda work=work, rest=(journal, sheet, decoders): measure_files(*work, *rest))
            pipeline.append(1000 * len(files) / milliseconds)
        torch.set_num_threads(threads)
        starts = range(0, len(framed), BATCH)
        _, milliseconds = _timed(lambda starts=starts: [runtime.look(framed[at : at + BATCH]) for at in starts])
        alone.append(1000 * len(files) / milliseconds)
    return statistics.median(pipeline), statistics.median(alone)


def _stages(checkpoint: str, source: Path, most: int = 64) -> Iterator[tuple[str, float]]:
    """Milliseconds an image of each stage; the network has all cores, the others one."""
    from fetal_seg.images.drawing import overlay
    from fetal_seg.images.grey import write_image, write_mask
    from fetal_seg.images.reader import read_frames
    from fetal_seg.inference.opening import open_runtime
    from fetal_seg.inference.predictor import Predictor
    from fetal_seg.report.pictures import ContactSheet, Panel

    files, runtime = _files(source, most), open_runtime(checkpoint, "cpu", runtime="pytorch")
    letterbox = runtime.preprocessing.letterbox
    images, spent = _timed(lambda: [next(read_frames(file.path, file.name)).image for file in files])
    yield "reading files", spent / len(files)
    framed, spent = _timed(lambda: np.stack([letterbox.apply(image) for image in images]))
    yield "scaling to the network's size", spent / len(files)

    def forward() -> Any:
        return [runtime.look(framed[start : start + BATCH]) for start in range(0, len(framed), BATCH)]

    forward()
    _, network = _timed(forward)
    yield "network, all cores", network / len(files)
    predictor = Predictor([runtime])
    batches = range(0, len(images), BATCH)
    found, spent = _timed(lambda: [one for at in batches for one in predictor.predict(images[at : at + BATCH])])
    yield "ellipse, mask, quality", max(spent - network, 0.0) / len(files)
    drawn, spent = _timed(
        lambda: [
            overlay(image, mask=one.mask, prediction=one.ellipse, caption="HC 172.3 mm", axes=True)
            for image, one in zip(images, found, strict=True)
        ]
    )
    yield "drawing overlays", spent / len(files)
    with tempfile.TemporaryDirectory() as name:
        _, spent = _timed(lambda: [write_image(Path(name) / "x.jpg", one) for one in drawn])
        yield "writing overlays", spent / len(files)
        _, spent = _timed(lambda: [write_mask(Path(name) / "x.png", one.mask) for one in found])
        yield "writing masks", spent / len(files)
    panels = [
        Panel(image, "x", mask=one.mask, prediction=one.ellipse) for image, one in zip(images, found, strict=True)
    ]
    _, spent = _timed(lambda: [ContactSheet.thumbnail(panel) for panel in panels])
    yield "thumbnails of the contact sheet", spent / len(files)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
