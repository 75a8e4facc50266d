"""Whether two networks err because of themselves, or of the images and their truth: docs/accuracy.md quotes it.

python -m studies.agreement EVALUATION EVALUATION [EVALUATION ...]

Each is a folder with per_image.csv, of evaluate.py or of a run's own evaluation; several after the first are taken as
one, as the folds of a cross-validation. If networks that were trained apart, one of them perhaps on these very images,
are nearer to each other than either is to the truth, it is not training that keeps them from it.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from fetal_seg.evaluation.tables import read_per_image


def main() -> None:
    """Print how far the two are from the truth, and from each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("others", type=Path, nargs="+")
    given = parser.parse_args()
    one = _measured(given.first)
    other = {name: row for folder in given.others for name, row in _measured(folder).items()}
    names = sorted(one.keys() & other.keys())
    if len(names) < 3:
        parser.error(f"{len(names)} images are measured in both; give evaluations of the same images")
    first, second = (np.array([rows[name]["df_mm"] for name in names], float) for rows in (one, other))
    mean = np.abs((first + second) / 2).mean()
    print(f"{len(names)} images measured by both")
    print(f"ADF {np.abs(first).mean():.2f} and {np.abs(second).mean():.2f} mm, of their mean {mean:.2f}")
    print(f"from each other {np.abs(first - second).mean():.2f} mm, correlation {np.corrcoef(first, second)[0, 1]:.2f}")


def _measured(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in read_per_image(folder / "per_image.csv") if not row["missed"]}


if __name__ == "__main__":
    main()
