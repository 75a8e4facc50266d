"""Train the network in the box again from HC18, and see that its figures are met within their intervals.

python -m tools.reproduce [--short] [--root HC18_FOLDER] [--output FOLDER]     exit status 1 if they are not

Without --short: experiment=pretrained, against the figures that the weights in the box carry. With it:
experiment=pretrained_short, at most 25 minutes on two cores, against those of the runs in reproduce.json. The
interval of a figure then reaches from the lowest to the highest of theirs: one over images knows nothing of what
another CPU or order does to a training so short. An interrupted training goes on where it was.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fetal_seg.files import write_text
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED
from tools.release_weights import figures, training

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tools" / "reproduce.json"
MEASURES = {"ellipse_dice": ("ellipse Dice, %", 100), "ellipse_hd_mm": ("HD, mm", 1), "adf_mm": ("ADF, mm", 1)}
MEASURES |= {"df_mm": ("DF, mm", 1)}


def main() -> None:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the short version")
    parser.add_argument("--root", default=os.environ.get("HC18_ROOT", "data/hc18"), help="folder of HC18")
    parser.add_argument("--output", type=Path, help="folder of the run; outputs/reproduce or reproduce_short")
    parser.add_argument("--record", action="store_true", help="add the short version's figures to its reference")
    given = parser.parse_args()
    experiment = "pretrained_short" if given.short else "pretrained"
    run = (given.output or ROOT / "outputs" / experiment.replace("pretrained", "reproduce")).resolve()
    command = [sys.executable, str(ROOT / "train.py"), f"experiment={experiment}", f"data.root={given.root}"]
    if failed := subprocess.run([*command, f"hydra.run.dir={run}", "ckpt_path=last"], check=False).returncode:
        sys.exit(failed)  # train.py said why
    found = figures(json.loads((run / "evaluation" / "summary.json").read_text(encoding="utf-8")))
    released = dict(read_checkpoint(PRETRAINED).description.further)
    known = json.loads(REFERENCE.read_text("utf-8")) if given.short else [released]
    outside = [told for told, is_met in _compared(found["all"], _span(known)) if not is_met]
    if given.record and given.short:
        write_text(REFERENCE, json.dumps([*known, {"figures": found, "training": training(run)}], indent=1) + "\n")
    print(f"{'not met: ' + ', '.join(outside) if outside else 'all met'}; run: {run}")
    sys.exit(1 if outside else 0)


def _span(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The means of runs on all images, and the intervals that hold theirs."""
    alike = [run["figures"]["all"] for run in runs]
    span: dict[str, Any] = {"missed": max(one["missed"] for one in alike)}
    for measure in MEASURES:
        lows, highs = zip(*(one[measure]["ci95"] for one in alike), strict=True)
        mean = sum(one[measure]["mean"] for one in alike) / len(alike)
        span[measure] = {"mean": mean, "ci95": [min(lows), max(highs)]}
    return span


def _compared(found: dict[str, Any], known: dict[str, Any]) -> list[tuple[str, bool]]:
    """Each measure with whether it lies in the known interval, or beyond its better end; prints them."""
    results = [("missed heads", found["missed"] <= known["missed"])]
    print(f"\n{'':18s}{'found':>8s}{'known':>8s}   interval")
    for measure, (title, scale) in MEASURES.items():
        low, high = known[measure]["ci95"]
        mean = found[measure]["mean"]
        met = {"ellipse_dice": mean >= low, "df_mm": low <= mean <= high}.get(measure, mean <= high)
        numbers = [scale * value for value in (mean, known[measure]["mean"], low, high)]
        print("{:18s}{:8.2f}{:8.2f}   {:.2f} to {:.2f}".format(title, *numbers) + ("" if met else "   not met"))
        results.append((title, met))
    return results


if __name__ == "__main__":
    main()
