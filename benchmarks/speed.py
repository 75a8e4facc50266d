"""How fast the command line, training and prediction are, each beside what it is compared with: ``make bench``.

Run it alone on the machine; it takes less than five minutes on two cores with AVX2 alone. Each line is printed when it
is measured. Images of noise and phantoms stand in for HC18's, whose time is the same.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback
from rich.console import Console

from benchmarks.machine import machine_line
from benchmarks.steps import BATCH, HEIGHT, WIDTH, Step, by_turns, named_step
from fetal_seg.progress import track

ROOT = Path(__file__).resolve().parent.parent
IMAGES = 799  # of an epoch of HC18
BLOCK, BLOCKS = 8, 16  # steps of ours, then as many bare ones
BARE_APPLICATION = """
import hydra

@hydra.main(version_base="1.3", config_path="{conf}", config_name="train")
def main(config): pass

main()
"""


def help_seconds(folder: Path) -> Iterator[str]:
    """``python train.py --help`` beside a bare Hydra application over the same ``conf/``."""
    bare = folder / "bare.py"
    bare.write_text(BARE_APPLICATION.format(conf=ROOT / "conf"), encoding="utf-8")
    seconds: dict[Path, list[float]] = {ROOT / "train.py": [], bare: []}
    for _ in range(5):
        for script, times in seconds.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, script, "--help"], check=True, capture_output=True, cwd=folder)
            times.append(time.perf_counter() - start)
    ours, other = (statistics.median(times) for times in seconds.values())
    yield f"python train.py --help: {ours:.2f} s, {ours / other:.2f} of a bare Hydra application over the same conf/"


def loop_rates(folder: Path) -> Iterator[str]:
    """Our training of the default network beside a bare loop over it, by turns within one training."""
    from fetal_seg.config.training import TrainerConfig
    from fetal_seg.training.process import quiet_lightning, use_threads
    from fetal_seg.training.task import SegmentationTask
    from fetal_seg.training.trainer import build_trainer

    quiet_lightning()
    use_threads(None)
    data = noise_data(folder)
    trainer, precision = build_trainer(TrainerConfig(max_epochs=1, accelerator="cpu", progress_bar=False), folder, data)
    turns = Turns(named_step("encoder_decoder", precision.name))
    trainer.callbacks.append(turns)  # type: ignore[attr-defined]  # reason: it has them
    trainer.limit_train_batches = BLOCK * BLOCKS
    trainer.fit(SegmentationTask(), datamodule=data)
    ours, bare = (BLOCK * BATCH / statistics.median(seconds) for seconds in (turns.ours, turns.bare))
    ratio = statistics.median(b / o for o, b in zip(turns.ours, turns.bare, strict=True))
    yield f"training, bare loop over encoder_decoder, {precision.name}: {bare:.1f} images/s"
    yield f"training, ours, with augmentation and averaged weights: {ours:.1f} images/s, {ratio:.3f} of bare"
    yield f"training, an epoch of {IMAGES} images at that rate: {IMAGES / ours:.0f} s"


class Turns(Callback):
    """Takes as many bare steps after each `BLOCK` of the training's own; seconds of both, without the first block."""

    def __init__(self, step: Step) -> None:
        self._step, self._start = step, 0.0
        self.ours: list[float] = []
        self.bare: list[float] = []

    def on_train_batch_end(self, *arguments: Any) -> None:
        """Take a turn, where it is due; all that the training did since the last one is timed."""
        index = arguments[-1]
        if index % BLOCK != BLOCK - 1:
            return
        middle = time.perf_counter()
        for _ in range(BLOCK):
            self._step()
        if index > BLOCK:
            self.ours.append(middle - self._start)
            self.bare.append(time.perf_counter() - middle)
        self._start = time.perf_counter()


def noise_data(folder: Path) -> Any:
    """A data module of images of noise, as many as an epoch of HC18 needs."""
    from fetal_seg.config.data import FolderConfig
    from fetal_seg.data.cache import build_cache
    from fetal_seg.data.loading import PreparedImages
    from fetal_seg.data.records import Record
    from fetal_seg.geometry.ellipse import Ellipse
    from fetal_seg.geometry.letterbox import Letterbox
    from fetal_seg.images.grey import write_image
    from fetal_seg.training.datamodule import HeadDataModule

    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)
    write_image(folder / "image.png", image)
    write_image(folder / "mask.png", 255 * Ellipse(140, 95, 80, 60, 0.3).rasterise(HEIGHT, WIDTH))
    records = tuple(
        Record(f"{index:04d}.png", f"{index:04d}", folder / "image.png", folder / "mask.png", 0.1)
        for index in range(IMAGES + 1)
    )
    config = FolderConfig(root=str(folder), height=HEIGHT, width=WIDTH, batch_size=BATCH, val_fraction=1 / len(records))
    cache = build_cache(records, Letterbox(HEIGHT, WIDTH), folder / "cache")
    return HeadDataModule(config, prepared=PreparedImages(records, cache))


def network_rates(_: Path) -> Iterator[str]:
    """Networks beside each other in the bare loop."""
    contenders = {
        "encoder_decoder": named_step("encoder_decoder"),
        "the default before, stem=full depth=5": named_step("encoder_decoder", depth=5, stem="full"),
        "encoder_decoder, depth=5 width=20": named_step("encoder_decoder", depth=5, width=20),
        "lite": named_step("lite"),
        "unet": named_step("unet"),
        "smp, U-Net on mobilenet_v2": named_step("smp"),
        "smp, U-Net on resnet18": named_step("smp", encoder="resnet18"),
    }
    seconds = by_turns(contenders, turns=4, steps_a_turn=2)
    default = seconds["encoder_decoder"]
    for name, step in seconds.items():
        yield f"training, {name}: {BATCH / step:.1f} images/s, {default / step:.2f} of the default's rate"


def precision_rates(_: Path) -> Iterator[str]:
    """Both precisions of this CPU, and which one is taken without asking."""
    from fetal_seg.models.device import choose_precision

    chosen = choose_precision("auto", torch.device("cpu"))
    names = ("32-true", "bf16-mixed")
    seconds = by_turns({name: named_step("encoder_decoder", name) for name in names}, turns=3, steps_a_turn=1)
    other = next(name for name in names if name != chosen.name)
    yield (
        f"trainer.precision=auto takes {chosen.name}: {BATCH / seconds[chosen.name]:.1f} images/s, "
        f"{seconds[other] / seconds[chosen.name]:.2f} times {other}"
    )


def prediction_rates(folder: Path) -> Iterator[str]:
    """One image at a time, and a folder, with the pretrained weights, on phantoms of 540x800 px."""
    from fetal_seg.data.phantom.writing import write_phantoms

    write_phantoms(folder / "phantoms", train=1, test=96, seed=0)
    command = [sys.executable, "-m", "benchmarks.prediction", "pretrained", folder / "phantoms/test_set.zip", "--rates"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    yield from done.stdout.splitlines()


MEASUREMENTS: tuple[Callable[[Path], Iterator[str]], ...] = (
    help_seconds,
    loop_rates,
    network_rates,
    precision_rates,
    prediction_rates,
)


def main() -> None:
    """Print each line as it is measured."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(machine_line())
    folder = Path(tempfile.mkdtemp())
    try:
        for measure in track(MEASUREMENTS, "measuring", len(MEASUREMENTS)):
            for line in measure(folder):
                console.print(line)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
