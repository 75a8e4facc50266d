"""What Python says of cases that the unit tests of the page's measurement look at.

python -m tools.page_reference FOLDER     writes FOLDER/reference.json; its tests look for it in web/generated

Cases are made from fixed seeds. Arrays are base64 of their bytes: uint8, or little-endian float32.
"""

import argparse
import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fetal_seg.files import write_text
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import fit_head
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement import conformal, head_gate, novelty
from fetal_seg.measurement.biometry import Biometry, age_text
from fetal_seg.measurement.head_gate import HeadGate
from fetal_seg.measurement.quality import Limits, Quality, size_reasons
from fetal_seg.measurement.result import Measurement, Prediction

REFERENCE = "reference.json"
HEIGHT, WIDTH = 64, 96  # of the maps that heads are fitted in
Case = dict[str, Any]


def main() -> None:
    """Write the reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / REFERENCE, json.dumps(reference()) + "\n")


def reference() -> dict[str, list[Case]]:
    """The cases by what they are of."""
    return {
        "numbers": list(_numbers()),
        "letterboxes": list(_letterboxes()),
        "squares": list(_squares()),
        "fits": list(_fits()),
        "features": list(_features()),
        "gates": list(_gates()),
        "qualities": list(_qualities()),
        "turns": list(_turns()),
        "sizes": list(_sizes()),
        "heads": list(_heads()),
        "intervals": list(_intervals()),
    }


def _numbers() -> Iterator[Case]:
    """Numbers as texts and tables show them."""
    rng = np.random.default_rng(0)
    values = [0.0, 0.5, 1.5, 2.5, 99.5, 1e-5, 0.0001, 123456.5, 1234567.0, 0.1, -2.5, -0.00012345678, 1e21, 1 / 3]
    for value in [*values, *(rng.normal(size=40) * 10.0 ** rng.integers(-8, 9, 40)).tolist()]:
        yield {"value": value, "whole": f"{value:.0f}", "three": f"{value:.3g}", "six": f"{value:g}"}


def _letterboxes() -> Iterator[Case]:
    rng = np.random.default_rng(1)
    sizes = [(135, 200), (128, 192), (256, 384), (64, 96), (30, 45), (101, 67), (64, 200), (200, 64), (50, 96), (1, 9)]
    for height, width in sizes:
        image = rng.integers(0, 256, (height, width), dtype=np.uint8)
        letterbox = Letterbox(HEIGHT, WIDTH)
        to_native = letterbox.to_native(height, width).ravel().tolist()
        yield {**_grey(image), "framed": _coded(letterbox.apply(image)), "toNative": to_native}


def _squares() -> Iterator[Case]:
    """Pictures of regions as novelty looks at them: both sides shrink, both grow, or one of each."""
    rng = np.random.default_rng(2)
    for height, width in [(300, 260), (256, 256), (90, 100), (100, 200), (200, 100), (128, 64), (128, 128)]:
        image = rng.integers(0, 256, (height, width), dtype=np.uint8)
        square = cv2.resize(image, (novelty.SIDE, novelty.SIDE), interpolation=cv2.INTER_AREA)
        yield {**_grey(image), "square": _coded(square)}


def _fits() -> Iterator[Case]:
    """Maps with one head, with several, cut by the frame, with holes, leaks and noise, and without any."""
    rng = np.random.default_rng(3)
    whole, second = Ellipse(45, 30, 30, 22, 0.4), Ellipse(80, 50, 11, 9, 1.2)
    leak, hole = Ellipse(70, 40, 14, 4, 0.6), Ellipse(40, 30, 6, 4, 0)
    scenes: list[tuple[list[Ellipse], list[Ellipse], float]] = [
        ([whole], [], 0.0),
        ([whole], [], 1.0),
        ([whole], [hole], 0.3),
        ([whole, leak], [], 0.3),
        ([Ellipse(90, 30, 28, 21, -1.0)], [], 0.3),
        ([Ellipse(0, 0, 30, 22, 0.1)], [], 0.3),
        ([Ellipse(25, 32, 18, 14, 0.3), second], [], 0.3),
        ([Ellipse(25, 32, 18, 14, 0.3), Ellipse(72, 30, 17, 14, -0.8)], [], 0.5),
        ([Ellipse(48, 32, 40, 5, 0)], [], 0.2),
        ([Ellipse(48, 32, 2.4, 2.0, 0)], [], 0.0),
        ([], [], 0.5),
    ]
    scenes += [([Ellipse(*rng.uniform((30, 20, 20, 13, -1.5), (60, 44, 30, 20, 1.5)))], [], 0.4) for _ in range(30)]
    for heads, holes, noise in scenes:
        covered = np.zeros((HEIGHT, WIDTH), np.float64)
        for head in heads:
            covered = np.maximum(covered, head.coverage(HEIGHT, WIDTH))
        for missing in holes:
            covered = covered * (1 - missing.coverage(HEIGHT, WIDTH))
        rough = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), 1.5)
        logits = (cv2.GaussianBlur(8 * covered - 4, (0, 0), 1.0) + 4 * noise * rough).astype(np.float32)
        height, width = (int(size) for size in rng.integers((60, 90), (400, 600)))
        fit = fit_head(logits, 0.0, Letterbox(HEIGHT, WIDTH).to_native(height, width), (height, width))
        case: Case = {"logits": _coded(logits), "width": width, "height": height, "fit": None}
        if fit:
            case["fit"] = {"ellipse": _values(fit.ellipse), "agreement": fit.agreement, "cut": fit.cut}
            case["fit"] |= {"region": _coded(fit.region)}
        yield case


def _features() -> Iterator[Case]:
    rng = np.random.default_rng(4)
    k = len(novelty.features(np.zeros((novelty.SIDE, novelty.SIDE), np.uint8)))
    model = novelty.AppearanceModel(tuple(rng.normal(size=k).tolist()), _symmetric(rng, k), 3.5)
    for sigma, (a, b) in product((0.8, 3.0), ((30, 25), (60, 40), (150, 100))):
        image = np.clip(128 + 300 * cv2.GaussianBlur(rng.normal(size=(256, 384)), (0, 0), sigma), 0, 255)
        region = Ellipse(200, 120, a, b, 0.3).rasterise(256, 384)
        score = novelty.novelty_score(image.astype(np.uint8), region, model)
        yield {**_grey(image.astype(np.uint8)), "region": _coded(region), "model": asdict(model), "score": score}


def _gates() -> Iterator[Case]:
    rng = np.random.default_rng(5)
    strides = (4, 8, 16, 32)  # of which the gate looks at all but the first
    for size in (8, 20, 60):
        region = Ellipse(100, 70, 1.3 * size, size, 0.5).rasterise(128, 192)
        levels = [rng.normal(size=(3, 128 // stride, 192 // stride)).astype(np.float32) for stride in strides]
        weights = tuple((0.3 * rng.normal(size=36)).tolist())
        gate = HeadGate(head_gate.POOLING, weights, 0.2, Limits(0.5, 0.1), 1, 1)
        probability = gate.probability(levels, region)
        coded = [{"shape": level.shape, "data": _coded(level)} for level in levels]
        yield {"region": _coded(region), "levels": coded, "weights": weights, "bias": 0.2, "probability": probability}


def _qualities() -> Iterator[Case]:
    """Measurements of a head of 500 px, at 0.12 mm a pixel, whose quality is good or bad in each way."""
    ellipse, limits, head_limits = Ellipse(100, 90, 90, 68, 0.3), Limits(0.94, 0.83), Limits(0.6, 0.2)
    values = product(
        *((0.99, 0.93, 0.85, 0.7), (0.99, 0.955), (0.0, 0.025), (80.0, 14.5), (None, 0.9, 1.5, 2.5, 4.5)),
        *((None, 0.9, 0.55, 0.1), (False, True)),
    )
    for confidence, agreement, cut, contrast, unlike, probability, turned in values:
        quality = Quality(confidence, agreement, cut, contrast, unlike, None, turned, limits, probability, head_limits)
        stated: Case = {"confidence": confidence, "agreement": agreement, "cut": cut, "contrast": contrast}
        stated |= {"novelty": unlike, "headProbability": probability, "turned": turned}
        measured = Measurement.from_prediction(Prediction(np.zeros((2, 2), np.uint8), ellipse, quality), None)
        nothing = Measurement.from_prediction(Prediction.nothing(2, 2, quality), None)
        yield {
            "quality": stated,
            "isHead": quality.is_head,
            "flag": measured.flag,
            "reasons": measured.reasons,
            "whyNoHead": nothing.reasons[0],
        }


def _turns() -> Iterator[Case]:
    """Ellipses in pictures that were turned by a quarter, and where they are in those as they were."""
    for angle in (-1.5, -0.2, 0.0, 0.9, 1.5):
        ellipse = Ellipse(30, 50, 25, 18, angle)
        quality = Quality(0.99, 0.99, 0.0, 80.0)
        back = Prediction(np.zeros((100, 60), np.uint8), ellipse, quality).turned_back().ellipse
        assert back is not None
        yield {"turned": _values(ellipse), "width": 100, "back": _values(back)}


def _sizes() -> Iterator[Case]:
    for (x, y), hc in product([(0.12, 0.12), (0.001, 0.12), (2.5, 2.5), (3, 3.0625)], (20.5, 29.4, 180.0, 451.0)):
        yield {"xMm": x, "yMm": y, "hcMm": hc, "reasons": size_reasons(x, y, hc)}


def _heads() -> Iterator[Case]:
    """Biometry of ellipses of 15 to 60 mm, also where pixels are not square."""
    rng = np.random.default_rng(6)
    for _ in range(40):
        a = rng.uniform(8, 65)
        ellipse = Ellipse(0, 0, a / 0.12, a * rng.uniform(0.6, 1) / 0.12, rng.uniform(-1.5, 1.5))
        biometry = Biometry.from_ellipse(ellipse.scaled(0.12, 0.11))
        ages = [age_text(biometry.ga_intergrowth_weeks), age_text(biometry.ga_hadlock_weeks)]
        yield {"ellipse": _values(ellipse), "biometry": asdict(biometry), "ages": ages}


def _intervals() -> Iterator[Case]:
    rng = np.random.default_rng(7)
    for count in (5, 30, 200):
        predicted = rng.uniform(60, 330, count)
        held_out = conformal.scores(predicted, rng.uniform(0.9, 0.98, count), predicted + rng.normal(size=count))
        for hc, confidence in product((70.0, 180.0, 300.0), (0.9, 0.97, 0.999)):
            width = conformal.half_width(held_out, hc, confidence)
            likely = conformal.is_large_error_likely(held_out, hc, confidence)
            yield {"heldOut": asdict(held_out), "hcMm": hc, "confidence": confidence, "width": width, "likely": likely}


def _symmetric(rng: np.random.Generator, k: int) -> tuple[tuple[float, ...], ...]:
    """A positive definite matrix (k, k)."""
    root = rng.normal(size=(k, k))
    return tuple(map(tuple, (root @ root.T).tolist()))


def _values(ellipse: Ellipse) -> list[float]:
    return list(asdict(ellipse).values())


def _grey(image: Grey) -> Case:
    return {"height": image.shape[0], "width": image.shape[1], "data": _coded(image)}


def _coded(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


if __name__ == "__main__":
    main()
