"""Train the pretrained weights again from HC18, and check that the figures lie within their intervals.

python -m tools.reproduce [--short] [--root HC18_FOLDER] [--output FOLDER]     exit status 1 if they do not

Without --short: experiment=pretrained, compared with the figures that the pretrained weights carry. With it:
experiment=pretrained_short, at most 25 minutes on two cores, compared with the runs in reproduce.json. The interval of
a figure then reaches from their lowest bound to their highest: an interval over images does not contain the effect of
another CPU or order on so short a training. An interrupted training is continued.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fetal_seg.files import write_text
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED
from tools import add_root
from tools.release_weights import figures, training

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tools" / "reproduce.json"
MEASURES = {"ellipse_dice": ("ellipse Dice, %", 100), "ellipse_hd_mm": ("HD, mm", 1), "adf_mm": ("ADF, mm", 1)}
MEASURES |= {"df_mm": ("DF, mm", 1)}


def main() -> None:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the short version")
    add_root(parser)
    parser.add_argument("--output", type=Path, help="folder of the run; outputs/reproduce or reproduce_short")
    parser.add_argument("--record", action="store_true", help="add the short version's figures to its reference")
    options = parser.parse_args()
    experiment = "pretrained_short" if options.short else "pretrained"
    run = (options.output or ROOT / "outputs" / experiment.replace("pretrained", "reproduce")).resolve()
    keys = [f"experiment={experiment}", f"data.root={options.root}", f"hydra.run.dir={run}"]
    keys = [f"resume={run}"] if (run / "checkpoints" / "last.ckpt").is_file() else keys
    if failed := subprocess.run([sys.executable, str(ROOT / "train.py"), *keys], check=False).returncode:
        sys.exit(failed)  # train.py said why
    reproduced = figures(json.loads((run / "evaluation" / "summary.json").read_text(encoding="utf-8")))
    released = [read_checkpoint(PRETRAINED).description]
    references = json.loads(REFERENCE.read_text("utf-8")) if options.short else released
    outside = [title for title, is_met in _compared(reproduced["all"], _span(references)) if not is_met]
    if options.record and options.short:
        recorded = {"figures": reproduced, "training": training(run)}
        write_text(REFERENCE, json.dumps([*references, recorded], indent=1) + "\n")
    print(f"{'not met: ' + ', '.join(outside) if outside else 'all met'}; run: {run}")
    sys.exit(1 if outside else 0)


def _span(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean figures of runs on all images, with intervals that contain those of each run."""
    alike = [run["figures"]["all"] for run in runs]
    span: dict[str, Any] = {"missed": max(run["missed"] for run in alike)}
    for measure in MEASURES:
        lows, highs = zip(*(run[measure]["ci95"] for run in alike), strict=True)
        mean = sum(run[measure]["mean"] for run in alike) / len(alike)
        span[measure] = {"mean": mean, "ci95": [min(lows), max(highs)]}
    return span


def _compared(reproduced: dict[str, Any], reference: dict[str, Any]) -> list[tuple[str, bool]]:
    """Each figure and whether it lies in the interval of the reference, or is better than that; prints them."""
    results = [("missed heads", reproduced["missed"] <= reference["missed"])]
    print(f"\n{'':18s}{'found':>8s}{'known':>8s}   interval")
    for measure, (title, scale) in MEASURES.items():
        low, high = reference[measure]["ci95"]
        mean = reproduced[measure]["mean"]
        met = {"ellipse_dice": mean >= low, "df_mm": low <= mean <= high}.get(measure, mean <= high)
        numbers = [scale * value for value in (mean, reference[measure]["mean"], low, high)]
        print("{:18s}{:8.2f}{:8.2f}   {:.2f} to {:.2f}".format(title, *numbers) + ("" if met else "   not met"))
        results.append((title, met))
    return results


if __name__ == "__main__":
    main()
