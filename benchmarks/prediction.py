"""Throughput of predict.py, from files to finished tables and pictures, and where the time goes.

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

from fetal_seg.models.weights import locate

ROOT = Path(__file__).resolve().parent.parent
BATCH = 8


def main() -> None:
    """Print the command's throughput, then the cost of each stage on its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="a file, or pretrained")
    parser.add_argument("input", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = [_command(options, folder / str(number)) for number in range(options.repeats)]
        count = sum(1 for _ in (folder / "0" / "predictions.jsonl").open())
    median = statistics.median(seconds)
    print(f"{count} images in {median:.1f} s (median of {options.repeats}): {count / median:.1f} images/s")
    half, most = np.percentile(_one_by_one(options.checkpoint, options.input), (50, 95))
    print(f"one image at a time, file to circumference: {half:.1f} ms in the median, 95 % below {most:.1f} ms")
    total = 0.0
    for stage, milliseconds in _stages(options.checkpoint, options.input):
        total += milliseconds
        print(f"  {stage:44s} {milliseconds:6.1f} ms an image")
    print(f"  {'all of it, one after the other':44s} {total:6.1f} ms an image")


def _command(options: argparse.Namespace, output: Path) -> float:
    start = time.perf_counter()
    checkpoint = locate(options.checkpoint).absolute()
    arguments = [f"ckpt={checkpoint}", f"input={options.input.absolute()}", f"output={output}"]
    subprocess.run(
        [sys.executable, ROOT / "predict.py", *arguments], check=True, capture_output=True, cwd=output.parent
    )
    return time.perf_counter() - start


def _one_by_one(checkpoint: str, source: Path, most: int = 100) -> list[float]:
    """Milliseconds from the file to the circumference, for each image on its own."""
    from fetal_seg.commands.predict.inputs import find_inputs
    from fetal_seg.data.loading import cache_folder
    from fetal_seg.images.reader import read_frames
    from fetal_seg.inference.predictor import Predictor

    files = list(itertools.islice(find_inputs(str(source), cache_folder(None)), most))
    predictor = Predictor.load(checkpoint)

    def measure(file: Any) -> Any:
        return predictor.measure(next(read_frames(file.path, file.name)).image, pixel_size_mm=0.1).hc_mm

    for file in files[:5]:
        measure(file)
    return [_timed(lambda file=file: measure(file))[1] for file in files]


def _stages(checkpoint: str, source: Path, most: int = 64) -> Iterator[tuple[str, float]]:
    """Milliseconds an image of each stage; the network has all cores, the others one."""
    from fetal_seg.commands.predict.inputs import find_inputs
    from fetal_seg.data.loading import cache_folder
    from fetal_seg.images.drawing import overlay
    from fetal_seg.images.grey import write_image
    from fetal_seg.images.reader import read_frames
    from fetal_seg.inference.opening import open_runtime
    from fetal_seg.inference.predictor import Predictor
    from fetal_seg.report.pictures import ContactSheet, Panel

    files = list(itertools.islice(find_inputs(str(source), cache_folder(None)), most))
    runtime = open_runtime(checkpoint, "cpu")
    letterbox = runtime.preprocessing.letterbox
    images, spent = _timed(lambda: [next(read_frames(file.path, file.name)).image for file in files])
    yield "reading files", spent / len(files)
    framed, spent = _timed(lambda: np.stack([letterbox.apply(image) for image in images]))
    yield "scaling to the network's size", spent / len(files)

    def forward() -> Any:
        return [runtime.logits(framed[start : start + BATCH]) for start in range(0, len(framed), BATCH)]

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
        _, spent = _timed(lambda: [write_image(Path(name) / "x.png", one) for one in drawn])
        yield "writing overlays", spent / len(files)
        _, spent = _timed(lambda: [write_image(Path(name) / "x.png", one.mask * 255) for one in found])
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
