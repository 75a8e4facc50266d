"""Measure a checkpoint on images whose truth is known: ``python evaluate.py ckpt=RUN/checkpoints/best.ckpt``."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli import command
from fetal_seg.config import EvaluateConfig
from fetal_seg.groups import FromRunConfig

if TYPE_CHECKING:
    from fetal_seg.checkpoint import Checkpoint
    from fetal_seg.data.records import Record

logger = logging.getLogger("evaluate")


@command("evaluate", "EvaluateConfig")
def evaluate(config: EvaluateConfig, run_dir: Path) -> None:
    """Predict the records of a part, compare them with the truth, write tables and pictures."""
    from fetal_seg.checkpoint import read_checkpoint
    from fetal_seg.predictor import Predictor
    from fetal_seg.report.evaluation import evaluate_to

    checkpoint = read_checkpoint(Path(config.ckpt).expanduser())
    predictor = Predictor.load(checkpoint, config.device)
    evaluate_to(run_dir, predictor, _records(config, checkpoint))


def _records(config: EvaluateConfig, checkpoint: "Checkpoint") -> list["Record"]:
    """The records to measure: of the run's own data, or of others."""
    from fetal_seg.data.cache import content_fingerprint
    from fetal_seg.data.records import records_named
    from fetal_seg.data.sources import cache_folder, load_records

    asked, own = config.data, checkpoint.description["data"]
    from_run = isinstance(asked, FromRunConfig)
    source = own | ({"root": asked.root} if asked.root else {}) if from_run else asdict(asked)
    records = load_records(source, cache_folder(asked.cache_dir))
    part = asked.part if from_run else None
    if part is None:
        part = "val" if content_fingerprint(records) == own["fingerprint"] else "all"
    chosen = records if part == "all" else records_named(records, checkpoint.description["split"][part])
    chosen = chosen[: asked.limit]
    logger.info("%d images: %s of %s", len(chosen), part, source.get("root") or source["name"])
    return chosen


if __name__ == "__main__":
    evaluate()
