"""Make the pretrained weights of a run: its last weights, rounded, with figures measured after the rounding.

python -m tools.release_weights RUN [--root HC18_FOLDER]
"""

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from fetal_seg.commands.evaluate import evaluate_to
from fetal_seg.config.choices import Choice
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record, records_named
from fetal_seg.errors import InputError
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.weights import PRETRAINED, locate, write_weights
from tools import add_root

LOCAL_KEYS = ("root", "cache_dir", "split_file")  # of the data; they mean nothing on another machine


def main() -> None:
    """Write a draft, evaluate it, and write it again with its figures over the pretrained weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run with checkpoint=last")
    add_root(parser)
    options = parser.parse_args()
    try:
        checkpoint = read_checkpoint(options.run / "checkpoints" / "last.ckpt")
        records = held_out(checkpoint, options.root)
    except InputError as error:
        parser.error(str(error))
    if checkpoint.description.calibration is None:
        parser.error(f"{checkpoint.path} was not calibrated; python evaluate.py ckpt={checkpoint.path} calibrate=true")
    released, source = locate(PRETRAINED), checkpoint.description.data.source
    kept = {key: value for key, value in source.keys.items() if key not in LOCAL_KEYS}
    data = replace(checkpoint.description.data, source=Choice(source.name, kept))
    description = replace(checkpoint.description, data=data)
    draft = options.run / "pretrained" / released.name
    write_weights(draft, checkpoint.state, description)
    summary = evaluate_to(options.run / "pretrained", Predictor.load(draft), records)
    measured = {"training": training(options.run), "figures": figures(summary)}
    write_weights(released, checkpoint.state, replace(description, further=measured))
    print(f"{released}: {released.stat().st_size / 1e6:.2f} MB")


def held_out(checkpoint: Checkpoint, root: str) -> list[Record]:
    """The validation images of a checkpoint, of HC18 in a folder."""
    own = checkpoint.description.data.source
    source = replace(own, keys={**own.keys, "root": root, "download": False})
    return records_named(load_records(source, cache_folder(None)), checkpoint.description.split.val)


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    """What a summary says of all images, and of each trimester: numbers of images, means and their intervals."""
    parts = {"all": summary} | {f"trimester {number}": part for number, part in summary["by_trimester"].items()}
    return {
        name: {"images": part["n"], "missed": part["missed"]}
        | {metric.column: {key: part[metric.column][key] for key in ("mean", "median", "ci95")} for metric in METRICS}
        for name, part in parts.items()
    }


def training(run: Path) -> dict[str, Any]:
    """How long a run took with all its interruptions, on which machine, and from which commit."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(file))
    keys = ("git", "versions", "machine", "precision", "epochs", "seed")
    return {key: record[key] for key in keys if key in record} | {"wall_time_s": round(seconds, 1)}


if __name__ == "__main__":
    main()
