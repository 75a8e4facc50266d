"""Draws the picture of the page for the README: a phantom in the built page, in headless Chromium.

python -m tools.page_picture FILE.png     after `make page`; CHROMIUM names the browser
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from PIL import Image

from fetal_seg.data.phantom.writing import write_phantoms
from fetal_seg.files import whole_file

WEB = Path(__file__).resolve().parent.parent / "web"
PHANTOMS, SEED = 3, 5
COLOURS = 160  # grey speckle and a few colours: more make the file larger, and nothing is seen of them


def main(output: Path) -> None:
    """Write the picture, whole or not at all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_phantoms(folder, train=0, test=PHANTOMS, seed=SEED)
        with zipfile.ZipFile(folder / "test_set.zip") as archive:
            archive.extractall(folder / "images")
        images = sorted((folder / "images").rglob("*.png"))
        shot = folder / "shot.png"
        subprocess.run(["npx", "tsx", "tests/browser/picture.ts", str(shot), *map(str, images)], cwd=WEB, check=True)
        with Image.open(shot) as picture, whole_file(output) as file:
            picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(file, format="PNG", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
