"""How many images without a head are measured nevertheless; for docs/accuracy.md.

python -m studies.no_head [--ckpt CHECKPOINT] [--root HC18_FOLDER]

The images are drawn abdomens, noise, speckle and shapes; corners of HC18's validation images that hold less than a
tenth of the head; pages and photographs of scikit-image. Prints which are measured, and how many are refused.
"""

import argparse
from collections.abc import Iterator

import cv2
import numpy as np
from skimage import data

from fetal_seg.data.augmentation import artefacts
from fetal_seg.data.phantom.simulation import envelope
from fetal_seg.geometry.arrays import Grey
from fetal_seg.images.grey import as_grey
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.weights import PRETRAINED
from tools import add_root
from tools.release_weights import own_records

SHAPE = (540, 800)  # HC18's
PICTURES = ("page", "text", "coffee", "camera", "astronaut", "chelsea", "coins", "moon", "rocket", "retina")
PICTURES += ("hubble_deep_field", "immunohistochemistry", "grass", "gravel", "brick", "clock", "cell")

Named = tuple[str, Grey]


def main() -> None:
    """Print each image that is measured, then how many of each kind are refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", default=PRETRAINED)
    add_root(parser)
    options = parser.parse_args()
    checkpoint = read_checkpoint(options.ckpt)
    predictor = Predictor.load(checkpoint)
    rng = np.random.default_rng(0)
    kinds = {
        "drawn": [(f"abdomen {number}", _abdomen(rng)) for number in range(8)] + list(_shapes(rng)),
        "parts of HC18": list(_corners(checkpoint, options.root)),
        "pictures": [(name, as_grey(np.asarray(getattr(data, name)()))) for name in PICTURES],
    }
    for kind, images in kinds.items():
        refused = sum(_is_refused(predictor, name, image) for name, image in images)
        print(f"{kind}: {refused} of {len(images)} refused", flush=True)


def _is_refused(predictor: Predictor, name: str, image: Grey) -> bool:
    (found,) = predictor.predict([image])
    if found.ellipse is None or found.quality is None:
        return True
    size = 100 * float((found.mask > 0).mean())
    reasons = "; ".join(found.quality.reasons()) or "no reason"
    confidence = 100 * found.quality.confidence
    print(f"  {name}: measured ({size:.0f} % of the picture, confidence {confidence:.0f} %): {reasons}")
    return False


def _abdomen(rng: np.random.Generator) -> Grey:
    """A round body with a thin skin, a dark stomach, a vein and a bright spine with its shadow, in speckle."""
    height, width = SHAPE
    scatter = np.full(SHAPE, rng.uniform(0.3, 1.0), np.float32)
    mirror = np.zeros(SHAPE, np.float32)
    center = (int(rng.uniform(0.4, 0.6) * width), int(rng.uniform(0.45, 0.55) * height))
    radius = int(rng.uniform(0.25, 0.4) * height)
    axes, tilt = (radius, int(rng.uniform(0.88, 1.0) * radius)), rng.uniform(0, 180)
    cv2.ellipse(scatter, center, (axes[0] + 30, axes[1] + 30), tilt, 0, 360, 0.05, -1)
    cv2.ellipse(scatter, center, axes, tilt, 0, 360, rng.uniform(0.5, 0.9), -1)
    cv2.ellipse(mirror, center, axes, tilt, 0, 360, rng.uniform(0.5, 1.5), 3)
    for _ in range(2):
        fluid = (center[0] + int(rng.uniform(-0.5, 0.5) * radius), center[1] + int(rng.uniform(-0.5, 0.5) * radius))
        cv2.ellipse(scatter, fluid, (radius // 5, radius // 8), rng.uniform(0, 180), 0, 360, 0.04, -1)
    angle = rng.uniform(0, 2 * np.pi)
    spine = (center[0] + int(0.75 * radius * np.cos(angle)), center[1] + int(0.75 * radius * np.sin(angle)))
    for side in (-12, 0, 12):
        cv2.circle(mirror, (spine[0] + side, spine[1] + abs(side) // 2), 5, 3.0, -1)
    cv2.rectangle(scatter, (spine[0] - 16, spine[1] + 10), (spine[0] + 16, height), 0.05, -1)
    echo = envelope(scatter, mirror, (2.0, 4.0), rng)
    return np.clip(120 + 90 * np.log10(echo + 1e-3), 0, 255).astype(np.uint8)


def _shapes(rng: np.random.Generator) -> Iterator[Named]:
    """Noise, speckle, a ramp, a disc, a ring, a box."""
    smooth = cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), 40)
    yield "noise", rng.integers(0, 256, SHAPE, np.uint8)
    yield "smooth noise", np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    for size in (2.0, 5.0):
        echo = envelope(np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.float32), (size, 2 * size), rng)
        yield f"speckle {size:g}", np.clip(60 * echo, 0, 255).astype(np.uint8)
    yield "ramp", np.tile(np.linspace(0, 255, SHAPE[1]).astype(np.uint8), (SHAPE[0], 1))
    for name, thickness in (("disc", -1), ("ring", 6)):
        yield name, cv2.circle(np.zeros(SHAPE, np.uint8), (400, 270), 150, 200, thickness)
    yield "box", cv2.rectangle(np.zeros(SHAPE, np.uint8), (250, 150), (550, 390), 200, -1)
    yield "marks", artefacts.add_marks(np.full(SHAPE, 20, np.uint8), rng)


def _corners(checkpoint: Checkpoint, root: str, count: int = 12) -> Iterator[Named]:
    """Corners, 300 x 200, of validation images, where they show nearly nothing of the head."""
    for record in own_records(checkpoint, root, checkpoint.description.split.val)[:: 200 // count][:count]:
        image, truth = record.read_pair()
        head = truth.rasterise(*image.shape)
        corners = {"left": np.s_[-200:, :300], "right": np.s_[-200:, -300:]}
        name, corner = min(corners.items(), key=lambda item: head[item[1]].mean())
        if head[corner].mean() < 0.1:
            yield f"{record.name}, lower {name}", np.ascontiguousarray(image[corner])


if __name__ == "__main__":
    main()
