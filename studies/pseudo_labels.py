"""Labels of unlabelled images, by trained networks, for ``data.extra``: self-training and distillation.

python -m studies.pseudo_labels OUTPUT --ckpt CKPT [CKPT ...] --input INPUT [INPUT ...]

INPUT is what predict.py takes: HC18's test_set.zip, a folder, a list of files. The labels of several networks are those
of their average. An image is kept where all flips of all networks agree within one hundredth of the circumference, and
nothing is to be looked at. OUTPUT has the layout of data=folder: images, masks, and pixel_sizes.csv where all sizes are
known.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fetal_seg.commands.predict.input_list import InputFile
from fetal_seg.commands.predict.inputs import find_inputs, find_sizes
from fetal_seg.data.loading import cache_folder
from fetal_seg.data.pixel_sizes import NAME, PIXEL_SIZE
from fetal_seg.data.records import read_ahead
from fetal_seg.data.sources.folder import CSV_NAME
from fetal_seg.errors import InputError
from fetal_seg.files import write_csv
from fetal_seg.geometry.arrays import Grey
from fetal_seg.images.grey import read_grey, write_image, write_mask
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.result import Prediction
from fetal_seg.progress import track

MOST_SPREAD = 0.01  # largest less smallest circumference of all flips and networks, by their mean


def main() -> None:
    """Label what is sure, and say how many images are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="a new folder")
    parser.add_argument("--ckpt", nargs="+", default=["pretrained"], help="checkpoints, averaged")
    parser.add_argument("--input", nargs="+", required=True, help="what predict.py takes")
    options = parser.parse_args()
    try:
        predictor = Predictor.load(options.ckpt, flips=True)
        inputs = find_inputs(options.input, cache_folder(None))
        find_sizes(inputs, None, None)
        files = list(inputs)
        options.output.mkdir(parents=True)
    except (InputError, FileExistsError) as error:
        parser.error(str(error))
    for folder in ("images", "masks"):
        (options.output / folder).mkdir()
    outcomes: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    for number, (file, image, prediction) in enumerate(_predictions(predictor, files)):
        outcomes[outcome := _outcome(prediction)] += 1
        if outcome == "kept" and prediction.ellipse:
            name = f"{number:05d}.png"
            write_image(options.output / "images" / name, image)
            covered = prediction.ellipse.coverage(*image.shape) > 0.5
            write_mask(options.output / "masks" / name, covered.astype(np.uint8))
            kept.append({NAME: name, PIXEL_SIZE: file.pixel_size_mm})
    if all(row[PIXEL_SIZE] for row in kept):
        write_csv(options.output / CSV_NAME, (NAME, PIXEL_SIZE), kept)
    print(f"{options.output}: " + ", ".join(f"{count} {name}" for name, count in outcomes.most_common()))


def _predictions(predictor: Predictor, files: Sequence[InputFile]) -> Iterator[tuple[InputFile, Grey, Prediction]]:
    batches = read_ahead(files, lambda file: read_grey(file.path))
    for batch, images in track(batches, "labelling", -(-len(files) // 8)):
        yield from zip(batch, images, predictor.predict(images), strict=True)


def _outcome(prediction: Prediction) -> str:
    if prediction.ellipse is None or prediction.quality is None:
        return "without a head"
    if prediction.quality.reasons():
        return "to be looked at"
    spread = prediction.quality.spread
    return "kept" if spread is not None and spread <= MOST_SPREAD else "on which flips or networks disagree"


if __name__ == "__main__":
    main()
