"""Makes what the tests of the page drop on it, and what predict.py says of the same files.

python -m tests.web.samples FOLDER     writes FOLDER/all/images (phantoms, a JPEG, DICOM files, files that cannot be
                                       read), FOLDER/all/hc18 where HC18_ROOT is set, and what predict.py says: of the
                                       images in FOLDER/px, and of all, with a pixel size of 0.12 mm, in FOLDER/mm
"""

import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from fetal_seg.data.phantom.writing import write_phantoms
from tests.commands.predict.scanner_files import write_scan
from tests.conftest import run_command

PHANTOMS = 10
HC18_IMAGES = 50
PIXEL_SIZE_MM = 0.12  # of all images, whatever they are: page and predict.py are to agree, not to be right
SCAN_MM = 0.15


def main(folder: Path) -> None:
    """Write all samples into a folder that is not there yet."""
    images, hc18 = folder / "all" / "images", folder / "all" / "hc18"
    images.mkdir(parents=True)
    _write_phantoms(folder, images)
    _write_other_kinds(images)
    if root := os.environ.get("HC18_ROOT"):
        hc18.mkdir()
        _write_hc18(Path(root), hc18)
    _predict(images, folder / "px")
    _predict(images.parent, folder / "mm", f"pixel_size_mm={PIXEL_SIZE_MM}")


def _write_phantoms(folder: Path, images: Path) -> None:
    write_phantoms(folder / "phantoms", train=0, test=PHANTOMS, seed=5)
    with zipfile.ZipFile(folder / "phantoms" / "test_set.zip") as archive:
        for number, name in enumerate(sorted(name for name in archive.namelist() if name.endswith(".png"))):
            (images / f"phantom_{number}.png").write_bytes(archive.read(name))


def _write_other_kinds(images: Path) -> None:
    """Of phantoms: doubtful ones, a JPEG, DICOM files with a region; then what holds no head, or is no image."""
    grey = [np.asarray(Image.open(images / f"phantom_{number}.png").convert("L")) for number in range(3)]
    height, width = grey[0].shape
    doubtful = {
        "cut": grey[0][:, width // 4 :],
        "dark": (grey[0] * 0.12).astype(np.uint8),
        "inverted": 255 - grey[1],
        "upright": np.rot90(grey[0]),
        "wide": np.asarray(Image.fromarray(grey[2]).resize((width, height // 2))),
    }
    for name, image in doubtful.items():
        Image.fromarray(np.ascontiguousarray(image)).save(images / f"{name}.png")
    Image.fromarray(grey[0]).save(images / "photo.jpg", quality=95)
    write_scan(images / "scan.dcm", grey[1], SCAN_MM)
    write_scan(images / "IM0001", grey[2], SCAN_MM)
    Image.fromarray(np.full((300, 400), 90, np.uint8)).save(images / "empty.png")
    whole = (images / "phantom_0.png").read_bytes()
    (images / "damaged.png").write_bytes(whole[: len(whole) // 2])
    (images / "foreign.png").write_text("no picture at all\n", encoding="utf-8")
    (images / "damaged.dcm").write_bytes((images / "scan.dcm").read_bytes()[:700])


def _write_hc18(root: Path, folder: Path) -> None:
    """Images from all of the training set, whose heads go from small to large."""
    with zipfile.ZipFile(root / "training_set.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith("HC.png"))
        for index in np.linspace(0, len(names) - 1, HC18_IMAGES).astype(int):
            (folder / Path(names[index]).name).write_bytes(archive.read(names[index]))


def _predict(images: Path, output: Path, *given: str) -> None:
    keys = ("overlays=false", "precision=32-true", f"output={output}", *given)
    done = run_command("predict.py", f"input={images}", *keys, cwd=output.parent, timeout=300)
    if not (output / "predictions.csv").is_file():  # the exit status tells of files that cannot be read
        raise RuntimeError(f"predict.py failed: {done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
