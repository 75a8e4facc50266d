"""Compares the circumferences predicted for HC18's test set with those of its training set; for docs/measurement.md.

python -m studies.submission PREDICTIONS_FOLDER TRAINING_CSV [PICTURE]
"""

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

BIN_MM = 25
PERCENTILES = (0, 5, 25, 50, 75, 95, 100)


def main() -> None:
    """Print both distributions and the flags; draw the distributions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("predictions", type=Path, help="folder that predict.py wrote")
    parser.add_argument("training_csv", type=Path, help="training_set_pixel_size_and_HC.csv")
    parser.add_argument("picture", type=Path, nargs="?")
    options = parser.parse_args()
    rows = _rows(options.predictions / "predictions.csv")
    test = np.array([float(row["hc_mm"]) for row in rows if row["hc_mm"]])
    training = np.array([float(row["head circumference (mm)"]) for row in _rows(options.training_csv)])
    print(f"{'':26s}" + "".join(f"{f'{percent} %':>8s}" for percent in PERCENTILES))
    for name, values in (("test, predicted", test), ("training, true", training)):
        cells = "".join(f"{value:8.1f}" for value in np.percentile(values, PERCENTILES))
        print(f"{f'{name}, n = {len(values)}':26s}{cells}  mm")
    print(f"Kolmogorov and Smirnov's test of the two: p = {stats.ks_2samp(test, training).pvalue:.2f}")
    print("flags:", dict(Counter(row["flag"] for row in rows)))
    reasons = Counter(reason.split(" (")[0] for row in rows for reason in row["reasons"].split("; ") if reason)
    print("reasons:", dict(reasons.most_common()))
    if options.picture:
        _draw(test, training, options.picture)


def _draw(test: NDArray[np.float64], training: NDArray[np.float64], output: Path) -> None:
    from matplotlib.figure import Figure

    from fetal_seg.report.style import BLUE, ORANGE, finish, save

    edges = np.arange(25, 376, BIN_MM)
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for values, colour, name in ((training, BLUE, "training set, true"), (test, ORANGE, "test set, predicted")):
        percent = 100 * np.histogram(values, edges)[0] / len(values)
        axes.stairs(percent, edges, color=colour, linewidth=2, label=f"{name} (n = {len(values)})")
    axes.set(xlabel="head circumference, mm", ylabel=f"images in a bin of {BIN_MM} mm, %")
    finish(axes)
    save(figure, output)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    main()
