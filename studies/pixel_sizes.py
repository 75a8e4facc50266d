"""What a network makes of pixel sizes that it was never trained on.

python -m studies.pixel_sizes split SPLIT_JSON [--root HC18_FOLDER]
    writes a split whose validation part has the smallest and the largest pixel sizes, and whose training part has no
    examination with one of these; train with it: python train.py experiment=pretrained_short data.split_file=SPLIT_JSON
python -m studies.pixel_sizes compare RUN SWEEP
    its images' errors beside those of the cross-validation's networks, which had seen such sizes
"""

import argparse
import os
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

HELD_OUT = 0.12  # part of the images at either end of the pixel sizes


def main() -> None:
    """Write the split, or print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    split = commands.add_parser("split")
    split.add_argument("file", type=Path)
    split.add_argument("--root", type=Path, default=Path(os.environ.get("HC18_ROOT", "data/hc18")))
    compare = commands.add_parser("compare")
    compare.add_argument("run", type=Path)
    compare.add_argument("sweep", type=Path)
    given = parser.parse_args()
    if given.what == "split":
        _write(given.root, given.file)
    else:
        _compare(given.run, given.sweep)


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
    folds = [read_per_image(one.folder / "evaluation" / "per_image.csv") for one in read_runs([sweep])]
    seen = {row["file"]: row for fold in folds for row in fold}
    for name, part in (("all", (1, 2, 3)), ("trimester 1", (1,)), ("trimester 2", (2,)), ("trimester 3", (3,))):
        rows = [
            row for row in unseen if row["trimester"] in part and not (row["missed"] or seen[row["file"]]["missed"])
        ]
        if rows:
            print(f"{name}, {len(rows)} images that both found")
            for measure, scale in (("ellipse_dice", 100), ("adf_mm", 1), ("df_mm", 1)):
                print(f"  {measure:14s}{_line(rows, [seen[row['file']] for row in rows], measure, scale)}")


def _line(unseen: list[dict[str, Any]], seen: list[dict[str, Any]], measure: str, scale: float) -> str:
    groups = [row["examination"] for row in unseen]
    values = [[scale * row[measure] for row in rows] for rows in (unseen, seen)]
    means = [describe(one, groups)["mean"] for one in values]
    apart = paired_difference(*values, groups)
    told = f"unseen {means[0]:7.2f}   seen {means[1]:7.2f}"
    return f"{told}   difference {apart.mean:+.2f} ({apart.low:.2f} to {apart.high:.2f})"


if __name__ == "__main__":
    main()
