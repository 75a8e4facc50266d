"""Speed of the command line, of training compared with a bare PyTorch loop, and of an epoch of 799 images.

Run it alone on the machine: ``make bench``. Images of noise stand in for HC18's, whose time is the same.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
IMAGES, BATCH, HEIGHT, WIDTH = 799, 4, 192, 288
STEPS = 40  # of each turn of the bare loop and of the training
TURNS = 3
MODELS = ("encoder_decoder", "unet")


def time_help() -> float:
    """Median seconds of ``python train.py --help``."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, ROOT / "train.py", "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def make_data(folder: Path) -> Any:
    """A data module of images of noise, as many as an epoch of HC18 needs."""
    from fetal_seg.config.data import FolderConfig
    from fetal_seg.data.cache import build_cache
    from fetal_seg.data.loading import PreparedImages
    from fetal_seg.data.records import Record
    from fetal_seg.geometry.ellipse import Ellipse
    from fetal_seg.geometry.letterbox import Letterbox
    from fetal_seg.images.grey import write_image
    from fetal_seg.training.datamodule import HeadDataModule

    rng = np.random.default_rng(0)
    image, mask = (
        rng.integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8),
        255 * Ellipse(140, 95, 80, 60, 0.3).rasterise(HEIGHT, WIDTH),
    )
    write_image(folder / "image.png", image)
    write_image(folder / "mask.png", mask)
    records = tuple(
        Record(f"{index:04d}.png", f"{index:04d}", folder / "image.png", folder / "mask.png", 0.1)
        for index in range(IMAGES + 1)
    )
    config = FolderConfig(root=str(folder), height=HEIGHT, width=WIDTH, batch_size=BATCH, val_fraction=1 / len(records))
    cache = build_cache(records, Letterbox(HEIGHT, WIDTH), folder / "cache")
    return HeadDataModule(config, prepared=PreparedImages(records, cache))


def make_task(name: str) -> Any:
    """The task as ``train.py`` builds it with its default optimizer, schedule and loss."""
    from fetal_seg.config.choices import Choice
    from fetal_seg.training.task import SegmentationTask

    return SegmentationTask(Choice(name))


def bare_loop(name: str, precision: str) -> float:
    """Images a second of a plain PyTorch loop over the same network, one batch ready in memory."""
    from fetal_seg.config.choices import Choice
    from fetal_seg.models.building import build_network
    from fetal_seg.training.losses import bce_dice

    network = build_network(Choice(name)).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.01)
    images = torch.randn(BATCH, 1, HEIGHT, WIDTH).contiguous(memory_format=torch.channels_last)
    target = torch.rand(BATCH, 1, HEIGHT, WIDTH)
    start = 0.0
    for step in range(STEPS + 3):
        if step == 3:  # the first steps choose kernels
            start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            loss = bce_dice(network(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return STEPS * BATCH / (time.perf_counter() - start)


class StepTimer(Callback):
    """Times the training's steps after the first three, data and callbacks included."""

    start = rate = 0.0

    def on_train_batch_end(self, *arguments: Any) -> None:
        """Update the rate, images/s."""
        index = arguments[-1]
        if index == 2:
            self.start = time.perf_counter()
        self.rate = (index - 2) * BATCH / max(time.perf_counter() - self.start, 1e-9)


def our_training(name: str, data: Any, folder: Path, limit: int | float) -> tuple[float, float, str]:
    """Images a second, seconds of the epoch, and the precision, of our training as ``train.py`` sets it up."""
    from fetal_seg.config.training import TrainerConfig
    from fetal_seg.training.process import quiet_lightning
    from fetal_seg.training.trainer import build_trainer

    quiet_lightning()
    run = folder / f"run-{time.time_ns()}"
    keys = TrainerConfig(max_epochs=1, accelerator="cpu", gradient_clip_val=1.0, ema_decay=0.995, progress_bar=False)
    trainer, precision = build_trainer(keys, run, data)
    timer = StepTimer()
    trainer.callbacks.insert(0, timer)
    trainer.limit_train_batches = limit
    start = time.perf_counter()
    trainer.fit(make_task(name), datamodule=data)
    seconds = time.perf_counter() - start
    shutil.rmtree(run)
    return timer.rate, seconds, precision.name


def main() -> None:
    """Print everything as one table."""
    table = Table("what", "figure", title=f"{torch.get_num_threads()} threads, {HEIGHT}x{WIDTH}, batches of {BATCH}")
    table.add_row("python train.py --help", f"{time_help():.2f} s")
    folder = Path(tempfile.mkdtemp())
    try:
        data = make_data(folder)
        for name in MODELS:
            pairs = []
            for _ in range(TURNS):  # alternately, so that a machine that slows down slows both
                ours, _, precision = our_training(name, data, folder, STEPS + 3)
                pairs.append((ours, bare_loop(name, precision)))
            ours, bare = (statistics.median(values) for values in zip(*pairs, strict=True))
            ratio = statistics.median(our_rate / bare_rate for our_rate, bare_rate in pairs)
            _, epoch, precision = our_training(name, data, folder, 1.0)
            table.add_row(f"{name}: bare loop, {precision}", f"{bare:.1f} images/s")
            table.add_row(f"{name}: our training, augmentation included", f"{ours:.1f} images/s, {ratio:.3f} of bare")
            table.add_row(f"{name}: an epoch of {IMAGES} images", f"{epoch:.1f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    Console().print(table)


if __name__ == "__main__":
    main()
