"""Training and prediction on a GPU, at each precision, with and without compiling: ``python -m benchmarks.gpu``.

It trains on phantoms, measures the validation images and predicts the test images, all by the project's own commands,
prints a table and writes it as JSON. On a machine without a GPU ``--accelerator cpu`` runs the same on the CPU.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine_line
from fetal_seg.files import read_csv, write_text

ROOT = Path(__file__).resolve().parent.parent
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class Result:
    """A training at one precision, and the prediction with its checkpoint at the same.

    Attributes:
        first_epoch_s, epoch_s: seconds of the first epoch, which compiles, and of the others, the median.
        images_per_s: training and validation images of an epoch by `epoch_s`.
        val_dice, ellipse_dice, adf_mm: of the last epoch's masks, and of the evaluation of the best checkpoint; None
            where no head was found.
        predict_s, predicted: seconds of the whole command, and the images it measured.
    """

    precision: str
    compiled: bool
    first_epoch_s: float
    epoch_s: float
    images_per_s: float
    val_dice: float
    ellipse_dice: float
    adf_mm: float | None
    predict_s: float
    predicted: int


def main() -> None:
    """Run all, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accelerator", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=800, help="phantoms that train and validate")
    parser.add_argument("--test-images", type=int, default=200, help="phantoms to predict")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("outputs/gpu.json"))
    parser.add_argument("more", nargs="*", help="further keys for train.py, such as data.height=256")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 160)
    line = machine_line()
    console.print(line)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        for precision in options.precisions:
            for compiled in (False,) if options.no_compile else (False, True):
                result = measure(Path(name), options, precision, compiled)
                results.append(result)
                console.print(f"{precision}{', compiled' if compiled else ''}: {result.images_per_s:.0f} images/s")
                content = {"machine": line, "command": sys.argv[1:], "results": [asdict(result) for result in results]}
                write_text(options.output, json.dumps(content, indent=2) + "\n")  # at once: a loan may end
    console.print(_table(results))
    console.print(f"results: {options.output}")


def measure(folder: Path, options: argparse.Namespace, precision: str, compiled: bool) -> Result:
    """Train, evaluate and predict at one precision."""
    run = folder / f"{precision}_{compiled}"
    phantoms = [f"data.root={folder / 'phantoms'}", f"data.cache_dir={folder / 'cache'}"]
    size = [f"data.images={options.images}", f"data.test_images={options.test_images}"]
    keys = [f"trainer.max_epochs={options.epochs}", f"data.batch_size={options.batch}", "trainer.progress_bar=false"]
    how = [f"trainer.precision={precision}", f"model.compile={str(compiled).lower()}"]
    place = [f"trainer={options.accelerator}", f"hydra.run.dir={run}"]
    _run("train.py", "data=phantom", *phantoms, *size, *keys, *how, *place, *options.more)
    start = time.perf_counter()
    _run(
        "predict.py",
        f"ckpt={run / 'checkpoints' / 'best.ckpt'}",
        f"input={folder / 'phantoms' / 'test_set.zip'}",
        f"output={run / 'predict'}",
        f"cache_dir={folder / 'cache'}",
        f"precision={precision}",
        f"device={options.accelerator}",
    )
    predict_s = time.perf_counter() - start
    epochs, predictions = read_csv(run / "metrics.csv"), read_csv(run / "predict" / "predictions.csv")
    split, summary = (json.loads((run / file).read_text()) for file in ("split.json", "evaluation/summary.json"))
    seconds = [float(row["seconds"]) for row in epochs]
    epoch_s = statistics.median(seconds[1:] or seconds)
    return Result(
        precision,
        compiled,
        first_epoch_s=seconds[0],
        epoch_s=epoch_s,
        images_per_s=(len(split["train"]) + len(split["val"])) / epoch_s,
        val_dice=float(epochs[-1]["val/dice"]),
        ellipse_dice=summary["ellipse_dice"]["mean"],
        adf_mm=summary["adf_mm"]["mean"],
        predict_s=predict_s,
        predicted=len(predictions),
    )


def _run(script: str, *keys: str) -> None:
    done = subprocess.run([sys.executable, ROOT / script, *keys], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(keys)} ended with {done.returncode}:\n{done.stderr}")


def _table(results: list[Result]) -> Table:
    columns = (
        "precision",
        "compiled",
        "images/s",
        "epoch s",
        "first epoch s",
        "mask Dice %",
        "ellipse Dice %",
        "ADF mm",
    )
    table = Table(*columns, "predict.py")
    for one in results:
        seconds = (f"{one.images_per_s:.0f}", f"{one.epoch_s:.1f}", f"{one.first_epoch_s:.1f}")
        scores = (
            f"{100 * one.val_dice:.2f}",
            f"{100 * one.ellipse_dice:.2f}",
            "-" if one.adf_mm is None else f"{one.adf_mm:.2f}",
        )
        predicted = f"{one.predicted} images in {one.predict_s:.1f} s"
        table.add_row(one.precision, "yes" if one.compiled else "no", *seconds, *scores, predicted)
    return table


if __name__ == "__main__":
    main()
