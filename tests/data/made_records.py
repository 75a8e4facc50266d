"""Records of small images with an ellipse each, for tests."""

from pathlib import Path

import numpy as np

from fetal_seg.data.records import Record
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.grey import write_image


def make_records(folder: Path, count: int, shape=(54, 80), seed=0) -> list[Record]:
    """Records of noise with an ellipse each, outlines as HC18's; two images an examination."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for index in range(count):
        ellipse = Ellipse(40 + rng.uniform(-5, 5), 27 + rng.uniform(-4, 4), rng.uniform(15, 20), 12, rng.uniform(-1, 1))
        image = (rng.integers(0, 120, shape) + 100 * ellipse.coverage(*shape)).astype(np.uint8)
        outline = np.zeros(shape, np.uint8)
        points = np.rint(ellipse.points(400)).astype(int)
        outline[points[:, 1], points[:, 0]] = 255
        name = f"{index // 2:03d}_{index % 2 + 1}HC"
        write_image(folder / f"{name}.png", image)
        write_image(folder / f"{name}_Annotation.png", outline)
        records.append(
            Record(
                f"{name}.png", name[:3], folder / f"{name}.png", folder / f"{name}_Annotation.png", rng.uniform(0.5, 3)
            )
        )
    return records
