"""Makes the pictures of the documentation that are of simulated images: docs/scan.png and docs/phantom.png.

python -m tools.pictures [FOLDER]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from fetal_seg.data.phantom.writing import simulate, write_phantoms
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import write_image

ROOT = Path(__file__).resolve().parent.parent
HEAD = Ellipse(400, 270, 248, 190, 0.15)  # px; the outer boundary of the skull in docs/scan.png
PIXEL_SIZE_MM = 0.12


def main() -> None:
    """Write both, and print how large the head of the first is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs")
    folder = parser.parse_args().folder
    write_image(folder / "scan.png", simulate(HEAD, (540, 800), PIXEL_SIZE_MM, np.random.default_rng(1)))
    print(f"{folder / 'scan.png'}: {PIXEL_SIZE_MM} mm a pixel, HC {PIXEL_SIZE_MM * HEAD.circumference:.1f} mm")
    shutil.copy(contact_sheet(Path(tempfile.mkdtemp())), folder / "phantom.png")
    print(f"{folder / 'phantom.png'}: six simulated images, measured with the pretrained weights")


def contact_sheet(folder: Path) -> Path:
    """The picture of six simulated images beside what ``predict.py`` makes of them."""
    write_phantoms(folder, train=0, test=6, seed=0)
    results = folder / "results"
    keys = [f"input={folder / 'test_set.zip'}", f"output={results}", "picture_format=png"]
    subprocess.run([sys.executable, str(ROOT / "predict.py"), *keys], check=True, capture_output=True, cwd=folder)
    return results / "contact_sheet.png"


if __name__ == "__main__":
    main()
