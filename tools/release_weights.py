"""Put the network of a run into the package: its last weights, rounded, with figures measured after the rounding.

python -m tools.release_weights RUN [--root HC18_FOLDER]
"""

import argparse
import csv
import json
import os
from pathlib import Path
from typing import Any

from fetal_seg.commands.evaluate import evaluate_to
from fetal_seg.data.records import Record, records_named
from fetal_seg.data.sources import cache_folder, load_records
from fetal_seg.errors import InputError
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.weights import PRETRAINED, locate, write_weights

OF_THIS_MACHINE = ("root", "cache_dir", "split_file")  # keys of the data that mean nothing elsewhere


def main() -> None:
    """Write the files, evaluate what was written, and put it with its figures in the place of what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run with checkpoint=last")
    parser.add_argument("--root", default=os.environ.get("HC18_ROOT", "data/hc18"), help="folder of HC18")
    given = parser.parse_args()
    try:
        checkpoint = read_checkpoint(given.run / "checkpoints" / "last.ckpt")
        records = held_out(checkpoint, given.root)
    except InputError as error:
        parser.error(str(error))
    if not checkpoint.description.get("calibration"):
        parser.error(f"{checkpoint.path} was not calibrated; python evaluate.py ckpt={checkpoint.path} calibrate=true")
    description, box = dict(checkpoint.description), locate(PRETRAINED)
    description["data"] = {key: value for key, value in description["data"].items() if key not in OF_THIS_MACHINE}
    draft = given.run / "box" / box.name
    write_weights(draft, checkpoint.state, description)
    summary = evaluate_to(given.run / "box", Predictor.load(draft), records)
    description["training"] = training(given.run)
    description["figures"] = figures(summary)
    write_weights(box, checkpoint.state, description)
    print(f"{box}: {box.stat().st_size / 1e6:.2f} MB")


def held_out(checkpoint: Checkpoint, root: str) -> list[Record]:
    """The validation images of a checkpoint, of HC18 in a folder."""
    source = {**checkpoint.description["data"], "root": root, "download": False}
    return records_named(load_records(source, cache_folder(None)), checkpoint.description["split"]["val"])


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    """What a summary says of all images, and of each trimester: numbers of images, means and their intervals."""
    parts = {"all": summary} | {f"trimester {number}": part for number, part in summary["by_trimester"].items()}
    return {
        name: {"images": part["n"], "missed": part["missed"]}
        | {metric.column: {key: part[metric.column][key] for key in ("mean", "median", "ci95")} for metric in METRICS}
        for name, part in parts.items()
    }


def training(run: Path) -> dict[str, Any]:
    """How long a run took, all its parts together, on what, and from which state of the project."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(file))
    known = ("git", "versions", "machine", "precision", "epochs", "seed")
    return {key: record[key] for key in known if key in record} | {"wall_time_s": round(seconds, 1)}


if __name__ == "__main__":
    main()
