"""Measure checkpoints on images whose truth is known: ``python evaluate.py ckpt=RUN/checkpoints/best.ckpt``.

Several, ``ckpt=[A,B,...]``, are compared image by image.
"""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fetal_seg.cli.app import command
from fetal_seg.config.commands import EvaluateConfig
from fetal_seg.config.data import FromRunConfig
from fetal_seg.errors import InputError

if TYPE_CHECKING:
    from fetal_seg.data.records import Record
    from fetal_seg.models.checkpoint import Checkpoint

logger = logging.getLogger("evaluate")


@command("evaluate", EvaluateConfig)
def evaluate(config: EvaluateConfig, run_dir: Path, command_line: list[str]) -> None:
    """Predict the records of a part, compare them with the truth, write tables and pictures."""
    from fetal_seg.commands.evaluate import compare_to, evaluate_to
    from fetal_seg.inference.predictor import Predictor
    from fetal_seg.models.checkpoint import read_checkpoint
    from fetal_seg.models.weights import SUFFIX

    checkpoints = [read_checkpoint(name) for name in ([config.ckpt] if isinstance(config.ckpt, str) else config.ckpt)]
    paths = [checkpoint.path for checkpoint in checkpoints]
    if config.calibrate and paths[0].suffix == SUFFIX:
        raise InputError(f"calibrate=true: {paths[0]} stays as it is; calibrate the checkpoint that it was made of")
    records = _records(config, checkpoints)
    how: Any = {"device": config.device, "flips": config.tta == "flips", "precision": config.precision}
    if config.calibrate and (len(paths) > 1 or how["flips"]):
        raise InputError("calibrate=true is for one checkpoint as predict.py uses it by default; leave out the others")
    if len(paths) == 1 or config.ensemble:
        predictor = Predictor.load(checkpoints, **how)
        evaluate_to(run_dir, predictor, records, calibrate=paths[0] if config.calibrate else None)
        return
    predictors = [Predictor.load(checkpoint, **how) for checkpoint in checkpoints]
    compare_to(run_dir, paths, predictors, records)


def _records(config: EvaluateConfig, checkpoints: list["Checkpoint"]) -> list["Record"]:
    """The records to measure: of the runs' own data, or of others."""
    from fetal_seg.config.choices import Choice
    from fetal_seg.data.cache import content_fingerprint
    from fetal_seg.data.loading import cache_folder, load_records
    from fetal_seg.data.records import records_named

    asked, own = config.data, checkpoints[0].description.data.source.to_dict()
    root = asked.root or own.get("root")
    if root is None and own["name"] == "hc18":  # as in conf/data/hc18.yaml: weights in the box know no folder
        root = os.environ.get("HC18_ROOT", "data/hc18")
    source = Choice.from_dict(own | {"root": root}) if isinstance(asked, FromRunConfig) else asked.choice
    records = load_records(source, cache_folder(asked.cache_dir))
    part = asked.part if isinstance(asked, FromRunConfig) else None
    if part is None:
        known = {checkpoint.description.data.fingerprint for checkpoint in checkpoints}
        part = "val" if known == {content_fingerprint(records)} else "all"
    if part != "all":
        first, *others = [getattr(checkpoint.description.split, part) for checkpoint in checkpoints]
        names = [name for name in first if all(name in other for other in others)]
        if not names:
            raise InputError(f"no image is in the part {part} of all checkpoints; take data.part=all, or other data")
        records = records_named(records, names)
    chosen = records[: asked.limit]
    logger.info("%d images: %s of %s", len(chosen), part, source.keys.get("root") or source.name)
    return chosen


if __name__ == "__main__":
    evaluate()
