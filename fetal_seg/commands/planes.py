"""What a checkpoint makes of other planes than the head's: teach it to tell them apart, and count what it measures."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.data.planes import PlaneImage
from fetal_seg.data.records import Record, read_ahead, with_head
from fetal_seg.errors import InputError
from fetal_seg.evaluation.tables import Row, write_rows
from fetal_seg.geometry.arrays import Grey, pixel_digest
from fetal_seg.images.grey import read_grey
from fetal_seg.inference.gate_fitting import GateImage, fit_gate, look_at_all
from fetal_seg.inference.predictor import Predictor
from fetal_seg.measurement.biometry import trimester
from fetal_seg.measurement.result import Flag
from fetal_seg.progress import track

if TYPE_CHECKING:
    from fetal_seg.inference.runtime import Runtime
    from fetal_seg.measurement.head_gate import HeadGate

logger = logging.getLogger(__name__)

PLANE_COLUMNS = ("file", "plane", "group", "flag", "head_probability", "reasons", "taught")


def learn_planes(
    runtime: "Runtime", planes: Sequence[PlaneImage], trained: Sequence[Record], held_out: Sequence[Record]
) -> "HeadGate | None":
    """A gate from images of other planes, and the heads that trained and that validated the network.

    Returns:
        None where the network does not show its encoder.

    Raises:
        InputError: there is too little to learn from.
    """
    gate = fit_gate(look_at_all(runtime, gate_images(planes, trained, held_out)))
    if gate is None:
        logger.warning(
            "data.negatives: this network does not show its encoder (encode, decode), so it has no head gate"
        )
        return None
    logger.info(
        "head gate: of %d images of heads and %d of other planes; below a head probability of %.2f there is no head, "
        "below %.2f it is to be checked",
        *(gate.heads, gate.others, gate.limits.reject_below, gate.limits.review_below),
    )
    return gate


def gate_images(planes: Sequence[PlaneImage], trained: Sequence[Record], held_out: Sequence[Record]) -> list[GateImage]:
    """What a gate learns from: other planes, and the heads that trained and that validated the network."""
    images = [
        GateImage(
            partial(read_grey, image.path),
            "head of a plane" if image.is_head else "plane",
            image.plane,
            f"plane {image.group}",
            is_held_out=True,
        )
        for image in planes
    ]
    with ThreadPoolExecutor() as pool:
        for records, is_held_out in ((with_head(trained), False), (with_head(held_out), True)):
            for record, is_early in zip(records, pool.map(_is_early, records), strict=True):
                kind = "early head" if is_early else "head"
                images.append(GateImage(record.read_image, kind, "", record.examination, is_held_out))
    return images


def judge_planes(
    folder: Path, predictor: Predictor, planes: Sequence[PlaneImage], table: str = "planes.csv"
) -> list[Row]:
    """Measure images of other planes; write a table into a folder, and tell what became of each plane.

    Heads among them are measured as well. What taught the checkpoint is marked, and said to be too good.
    """
    gate = predictor.calibration.gate if predictor.calibration else None
    taught = set(gate.images) if gate else set()
    rows = list(track(_rows(predictor, planes, taught), "measuring other planes", len(planes)))
    write_rows(folder / table, PLANE_COLUMNS, rows)
    for plane in sorted({image.plane for image in planes}):
        flags = Counter(row["flag"] for row in rows if row["plane"] == plane)
        logger.info(
            "%s: %d images, %d no head, %d to be checked, %d ok",
            *(plane or "other planes", flags.total(), flags[Flag.NO_HEAD], flags[Flag.CHECK], flags[Flag.OK]),
        )
    if known := sum(row["taught"] for row in rows):
        logger.info("%d of these images taught the checkpoint what is no head: their figures are too good", known)
    return rows


def judge_without_head(folder: Path, predictor: Predictor, records: Sequence[Record]) -> dict[str, int] | None:
    """Measure those records that show no head, as `judge_planes` does; ``without_head.csv`` has a row for each.

    Returns:
        How many ``images`` they are, and how many got each flag: ``ok`` and ``check`` are false alarms. None where all
        records show a head.
    """
    others = [record for record in records if not record.shows_head]
    if not others:
        return None
    images = [PlaneImage(record.image, "without a head", record.examination) for record in others]
    flags = Counter(row["flag"] for row in judge_planes(folder, predictor, images, "without_head.csv"))
    return {"images": len(images)} | {flag.name.lower(): flags[flag] for flag in Flag}


def _rows(predictor: Predictor, planes: Sequence[PlaneImage], taught: set[str]) -> Iterator[Row]:
    for batch, contents in read_ahead(planes, _read):
        for image, content in zip(batch, contents, strict=True):
            row: Row = {"file": image.path.name, "plane": image.plane, "group": image.group, "taught": False}
            if isinstance(content, InputError):
                yield row | {"flag": Flag.ERROR, "reasons": [str(content)]}
                continue
            found = predictor.measure(content)
            row |= {"flag": found.flag, "head_probability": found.head_probability, "reasons": list(found.reasons)}
            yield row | {"taught": pixel_digest(content) in taught}


def _read(image: PlaneImage) -> Grey | InputError:
    try:
        return read_grey(image.path)
    except InputError as error:
        return error


def _is_early(record: Record) -> bool:
    """Whether a head is of the first trimester."""
    if record.pixel_size_mm is None:
        return False
    ellipse, _ = record.read_truth()
    return ellipse is not None and trimester(ellipse.circumference * record.pixel_size_mm) == 1
