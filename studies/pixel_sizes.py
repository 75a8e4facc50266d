"""How accurate a network is at pixel sizes that it was never trained on; for docs/accuracy.md.

python -m studies.pixel_sizes split SPLIT_JSON [--root HC18_FOLDER]
    writes a split: images with the smallest and the largest pixel sizes validate, and no image of their examinations
    trains; then run python train.py experiment=pretrained_short data.split_file=SPLIT_JSON
python -m studies.pixel_sizes compare RUN SWEEP
    compares the run's errors with those of the cross-validation's networks, which have seen such sizes
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from fetal_seg.data.loading import cache_folder
from fetal_seg.data.sources import hc18
from fetal_seg.data.split_files import write_split
from fetal_seg.data.splits import Split
from fetal_seg.evaluation.clustered_statistics import describe, paired_difference
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.tables import read_per_image
from tools import add_root

HELD_OUT = 0.12  # fraction of the images at either end of the pixel sizes


def main() -> None:
    """Write the split, or print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    split = commands.add_parser("split")
    split.add_argument("file", type=Path)
    add_root(split)
    compare = commands.add_parser("compare")
    compare.add_argument("run", type=Path)
    compare.add_argument("sweep", type=Path)
    options = parser.parse_args()
    if options.command == "split":
        _write(Path(options.root), options.file)
    else:
        _compare(options.run, options.sweep)


def _write(root: Path, file: Path) -> None:
    records = hc18.load(root, cache_folder(None), download=False)
    sizes = np.array([record.pixel_size_mm or np.nan for record in records])
    low, high = np.nanquantile(sizes, (HELD_OUT, 1 - HELD_OUT))
    held_out = [record for record, size in zip(records, sizes, strict=True) if not low <= size <= high]
    examinations = {record.examination for record in held_out}
    train = [record.name for record in records if record.examination not in examinations]
    chosen = Split(0, "pixel size", tuple(train), tuple(record.name for record in held_out))
    write_split(file, chosen, {record.name: record.examination for record in records})
    print(f"{len(held_out)} images below {low:.3f} or above {high:.3f} mm a pixel; {len(train)} train: {file}")


def _compare(run: Path, sweep: Path) -> None:
    unseen = read_per_image(run / "evaluation" / "per_image.csv")
    folds = [read_per_image(fold.folder / "evaluation" / "per_image.csv") for fold in read_runs([sweep])]
    seen = {row["file"]: row for fold in folds for row in fold}
    both = [row for row in unseen if not (row["missed"] or seen[row["file"]]["missed"])]
    for name, trimesters in (("all", (1, 2, 3)), ("trimester 1", (1,)), ("trimester 2", (2,)), ("trimester 3", (3,))):
        rows = [row for row in both if row["trimester"] in trimesters]
        if rows:
            print(f"{name}, {len(rows)} images that both measure")
            for measure, scale in (("ellipse_dice", 100), ("adf_mm", 1), ("df_mm", 1)):
                print(f"  {measure:14s}{_line(rows, [seen[row['file']] for row in rows], measure, scale)}")


def _line(unseen: list[dict[str, Any]], seen: list[dict[str, Any]], measure: str, scale: float) -> str:
    groups = [row["examination"] for row in unseen]
    values = [[scale * row[measure] for row in rows] for rows in (unseen, seen)]
    mean_unseen, mean_seen = (describe(scores, groups)["mean"] for scores in values)
    difference = paired_difference(*values, groups)
    interval = f"{difference.mean:+.2f} ({difference.low:.2f} to {difference.high:.2f})"
    return f"unseen {mean_unseen:7.2f}   seen {mean_seen:7.2f}   difference {interval}"


if __name__ == "__main__":
    main()
