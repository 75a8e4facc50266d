"""How many images of other planes are measured as heads, on hospitals that taught nothing; for docs/accuracy.md.

python -m studies.planes PLANES_FOLDER [--ckpt CHECKPOINT] [--root HC18_FOLDER]
python -m studies.planes PLANES_FOLDER --pictures docs/measurement/planes.jpg     a head of each of four centres

The folder is that of data.negatives, whose CSV names the centre of each image. For each centre a gate learns from the
others' images, HC18's training images and four fifths of its validation images; the centre's images and the last fifth
are judged by it, with all that predict.py says. HC18's test images are judged by the gate of all centres.
"""

import argparse
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fetal_seg.commands.planes import gate_images
from fetal_seg.data.loading import cache_folder
from fetal_seg.data.planes import CSV_NAME, PlaneImage, read_planes
from fetal_seg.files import read_csv
from fetal_seg.geometry.arrays import Grey
from fetal_seg.images.grey import read_grey
from fetal_seg.images.reader import read_frames
from fetal_seg.inference.gate_fitting import Views, fit_gate, look_at_all
from fetal_seg.inference.opening import open_runtime
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.head_gate import HeadGate
from fetal_seg.measurement.result import Flag
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED
from fetal_seg.report.pictures import ContactSheet, Panel
from tools import add_root
from tools.release_weights import own_records


@dataclass(frozen=True)
class Judged:
    """An image, judged by a gate that saw no image of its centre or examination."""

    centre: str
    plane: str
    flag: Flag
    probability: float | None


def main() -> None:
    """Print what became of each plane and of each centre, then how the probabilities of heads compare by centre."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planes", type=Path)
    parser.add_argument("--ckpt", default=PRETRAINED)
    parser.add_argument("--pictures", type=Path)
    add_root(parser)
    options = parser.parse_args()
    runtime = open_runtime(options.ckpt)
    planes = read_planes(options.planes)
    centre_of = {row["filename"]: row["centre"] for row in read_csv(options.planes / CSV_NAME)}
    if options.pictures:
        _draw(Predictor([runtime]), {centre_of[image.path.name]: image for image in planes if image.is_head}, options)
        return
    checkpoint = read_checkpoint(options.ckpt)
    split = checkpoint.description.split
    trained, held_out = (own_records(checkpoint, options.root, names) for names in (split.train, split.val))
    centres = [centre_of[image.path.name] for image in planes] + ["HC18"] * (len(trained) + len(held_out))
    views = look_at_all(runtime, gate_images(planes, trained, held_out))
    predictor = Predictor([runtime])
    judged = list(_cross_judged(views, np.array(centres), predictor))
    for title, key in (("plane", "plane"), ("centre", "centre")):
        _print(title, judged, key)
    if gate := fit_gate(views):
        tests = (next(read_frames(path, path.name)).image for path in _test_images(Path(options.root)))
        _print("test", [_judge(predictor, gate, image, "HC18", "HC18's test set") for image in tests], "plane")


def _cross_judged(views: Views, centres: np.ndarray, predictor: Predictor) -> Iterator[Judged]:
    held_out = np.array([image.is_held_out and not image.is_from_planes for image in views.images])
    groups = sorted({image.group for image, is_held in zip(views.images, held_out, strict=True) if is_held})
    others = sorted(set(centres) - {"HC18"})
    for number, centre in enumerate(others):
        examinations = set(groups[number :: len(others)])
        left_out = (centres == centre) | (held_out & np.array([image.group in examinations for image in views.images]))
        gate = fit_gate(views.of_images(~left_out))
        if gate is None:
            raise SystemExit("this network does not show its encoder, so that it can have no gate")
        for index in np.flatnonzero(left_out):
            image = views.images[index]
            yield _judge(predictor, gate, image.read(), str(centres[index]), image.plane or "HC18's validation part")


def _judge(predictor: Predictor, gate: HeadGate, image: Grey, centre: str, plane: str) -> Judged:
    predictor.calibration = replace(predictor.calibration or Calibration(), gate=gate)
    found = predictor.measure(image)
    return Judged(centre, plane, found.flag, found.head_probability)


def _print(title: str, judged: list[Judged], key: str) -> None:
    print(f"\n{title:24s}{'images':>8s}{'no head':>9s}{'check':>8s}{'ok':>6s}   head probability 5 %, median, 95 %")
    rows = defaultdict(list)
    for one in judged:
        rows[getattr(one, key) + ("" if key == "plane" else f", {_kind(one)}")].append(one)
    for name, ones in sorted(rows.items()):
        flags = Counter(one.flag for one in ones)
        known = [one.probability for one in ones if one.probability is not None]
        spread = "  ".join(f"{value:.3f}" for value in np.percentile(known, (5, 50, 95))) if known else ""
        counts = f"{len(ones):8d}{flags[Flag.NO_HEAD]:9d}{flags[Flag.CHECK]:8d}{flags[Flag.OK]:6d}"
        print(f"{name:24s}{counts}   {spread}")


def _draw(predictor: Predictor, heads: dict[str, PlaneImage], options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        sheet = ContactSheet(Path(name))
        for centre, head in sorted(heads.items())[:4]:
            image = read_grey(head.path)
            found = predictor.measure(image)
            caption = f"{centre}, {head.path.name}: {found.flag}, head probability {found.head_probability:.2f}"
            sheet.add(sheet.thumbnail(Panel(image, caption, found.mask, found.ellipse)))
        shutil.copyfile(sheet.finish()[0], options.pictures)


def _kind(judged: Judged) -> str:
    return "heads" if judged.plane == "brain" or judged.centre == "HC18" else "others"


def _test_images(root: Path) -> list[Path]:
    from fetal_seg.commands.predict.inputs import find_inputs

    return [file.path for file in find_inputs(str(root / "test_set.zip"), cache_folder(None))]


if __name__ == "__main__":
    main()
