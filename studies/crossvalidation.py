"""The folds of a cross-validation as one table: every image measured by the network that did not see it.

python -m studies.crossvalidation SWEEP_FOLDER
"""

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from fetal_seg.evaluation.runs import RunStatus, read_runs
from fetal_seg.evaluation.summary import summarise
from fetal_seg.evaluation.tables import read_per_image
from fetal_seg.report.terminal import summary_table
from studies.figures import with_interval


def main() -> None:
    """Print the pooled table, and a line a fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path, help="of train.py -m experiment=crossvalidation")
    options = parser.parse_args()
    folds = [
        read_per_image(run.folder / "evaluation" / "per_image.csv")
        for run in read_runs([options.sweep])
        if run.status == RunStatus.FINISHED
    ]
    rows = [row for fold in folds for row in fold]
    names = {row["file"] for row in rows}
    if len(names) != len(rows):
        parser.error(f"{options.sweep}: an image is in the validation part of more than one run; give one sweep alone")
    Console().print(summary_table(summarise(rows)))
    for number, fold in enumerate(folds):
        print(f"fold {number}: {_line(summarise(fold))}")
    print(f"all:    {_line(summarise(rows))}")


def _line(summary: dict[str, Any]) -> str:
    dice = with_interval(summary["ellipse_dice"], 100)
    adf, df, hd = (with_interval(summary[measure]) for measure in ("adf_mm", "df_mm", "ellipse_hd_mm"))
    missed = f"n {summary['n']}, missed {summary['missed']}"
    return f"{missed}, ellipse Dice {dice} %, ADF {adf} mm, DF {df} mm, HD {hd} mm"


if __name__ == "__main__":
    main()
