"""Make the pretrained weights of a run: its last weights, rounded, with figures measured after the rounding.

python -m tools.release_weights RUN [--planes FOLDER] [--crossvalidation TABLE] [--root HC18_FOLDER]
python -m tools.release_weights pretrained ...     the weights stay; their figures, and what is given, are made anew

The folder of planes is that of data.negatives: without it the weights keep what they know of other planes. The table is
that of studies.doubts: errors of the same recipe on images that the networks did not see. Intervals are made of them;
without it of the run's own validation images.
"""

import argparse
import csv
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fetal_seg.commands.evaluate import evaluate_to
from fetal_seg.commands.planes import learn_planes
from fetal_seg.config.choices import Choice
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.planes import read_planes
from fetal_seg.data.records import Record, digests, records_named
from fetal_seg.errors import InputError
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.evaluation.tables import read_per_image
from fetal_seg.inference.opening import open_runtime
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement import conformal
from fetal_seg.measurement.calibration import interval_scores
from fetal_seg.measurement.conformal import IntervalScores
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.weights import PRETRAINED, locate, write_weights
from fetal_seg.version import __version__
from studies.doubts import read_doubts
from tools import add_root

LOCAL_KEYS = ("root", "cache_dir", "split_file", "negatives")  # of the data; they mean nothing on another machine


def main() -> None:
    """Write a draft, evaluate it, and write it again with its figures over the pretrained weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="folder of a run with checkpoint=last, or pretrained")
    parser.add_argument("--planes", type=Path, help="folder of images of other planes")
    parser.add_argument("--crossvalidation", type=Path, help="table of studies.doubts")
    add_root(parser)
    options = parser.parse_args()
    again = options.run == PRETRAINED
    try:
        checkpoint = read_checkpoint(PRETRAINED if again else Path(options.run) / "checkpoints" / "last.ckpt")
        held_out = own_records(checkpoint, options.root, checkpoint.description.split.val)
        trained = own_records(checkpoint, options.root, checkpoint.description.split.train)
        planes = read_planes(options.planes) if options.planes else []
    except InputError as error:
        parser.error(str(error))
    if checkpoint.description.calibration is None:
        parser.error(f"{checkpoint.path} was not calibrated; python evaluate.py ckpt={checkpoint.path} calibrate=true")
    released, source = locate(PRETRAINED), checkpoint.description.data.source
    kept = {key: value for key, value in source.keys.items() if key not in LOCAL_KEYS}
    data = replace(checkpoint.description.data, source=Choice(source.name, kept))
    split = checkpoint.description.split
    split = replace(split, seen=split.seen or tuple(sorted(set(digests(trained)))))
    description = replace(checkpoint.description, data=data, split=split, version=__version__)
    with tempfile.TemporaryDirectory() as name:
        draft = Path(name) / released.name
        write_weights(draft, checkpoint.state, description)
        calibration = checkpoint.description.calibration
        if options.crossvalidation:
            calibration = replace(calibration, interval=crossvalidated(options.crossvalidation), images=())
        predictor = Predictor([open_runtime(draft, precision="32-true")], calibration=calibration)
        if planes:
            calibration = replace(calibration, gate=learn_planes(open_runtime(draft), planes, trained, held_out))
            predictor.calibration = calibration
        summary = evaluate_to(Path(name), predictor, held_out)
        if not (again or options.crossvalidation):
            calibration = replace(calibration, interval=interval_scores(read_per_image(Path(name) / "per_image.csv")))
    known = checkpoint.description.further.get("training") if again else training(Path(options.run))
    measured = {"training": known, "figures": figures(summary)}
    write_weights(released, checkpoint.state, replace(description, calibration=calibration, further=measured))
    print(f"{released}: {released.stat().st_size / 1e6:.2f} MB")


def crossvalidated(table: Path) -> IntervalScores:
    """What intervals are made of, by the errors of a cross-validation; heads that were missed have none."""
    found = [image for image in read_doubts(table) if math.isfinite(image.hc_pred)]
    columns = zip(*((image.hc_pred, image.confidence, image.hc_true) for image in found), strict=True)
    return conformal.scores(*columns)


def own_records(checkpoint: Checkpoint, root: str, names: Sequence[str]) -> list[Record]:
    """Images that a checkpoint was trained or validated with, of HC18 in a folder.

    Raises:
        InputError: they are not there.
    """
    return records_named(load_records(own_source(checkpoint, root), cache_folder(None)), names)


def own_source(checkpoint: Checkpoint, root: str) -> Choice:
    """The data that a checkpoint was trained with, of HC18 in a folder."""
    own = checkpoint.description.data.source
    return replace(own, keys={**own.keys, "root": root, "download": False})


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
