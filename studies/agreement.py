"""Whether two networks differ from the truth more than from each other; for docs/accuracy.md.

python -m studies.agreement EVALUATION EVALUATION [EVALUATION ...]

Each is a folder with per_image.csv, written by evaluate.py or by a run's own evaluation. Several folders after the
first are taken as one, as the folds of a cross-validation. Networks that were trained separately, and are nearer to
each other than to the truth, are limited by the images and their truth, not by their training.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from fetal_seg.evaluation.tables import read_per_image


def main() -> None:
    """Print how much the two differ from the truth, and from each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("others", type=Path, nargs="+")
    options = parser.parse_args()
    rows = _measured(options.first)
    other_rows = {name: row for folder in options.others for name, row in _measured(folder).items()}
    names = sorted(rows.keys() & other_rows.keys())
    if len(names) < 3:
        parser.error(f"{len(names)} images are measured in both; give evaluations of the same images")
    first, second = (np.array([of[name]["df_mm"] for name in names], float) for of in (rows, other_rows))
    mean = np.abs((first + second) / 2).mean()
    print(f"{len(names)} images measured by both")
    print(f"ADF {np.abs(first).mean():.2f} and {np.abs(second).mean():.2f} mm, of their mean {mean:.2f}")
    print(f"from each other {np.abs(first - second).mean():.2f} mm, correlation {np.corrcoef(first, second)[0, 1]:.2f}")


def _measured(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in read_per_image(folder / "per_image.csv") if not row["missed"]}


if __name__ == "__main__":
    main()
