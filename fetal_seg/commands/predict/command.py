"""``predict.py``, from a checked configuration to a folder of results.

What it needs is imported where it is used: inputs that cannot be used are refused before torch is imported.
"""

import hashlib
import logging
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fetal_seg.commands.command_line import as_typed
from fetal_seg.commands.predict.input_list import InputList
from fetal_seg.commands.predict.inputs import find_inputs, find_sizes
from fetal_seg.config.commands import PredictConfig
from fetal_seg.config.shards import Shard
from fetal_seg.data.loading import cache_path
from fetal_seg.errors import InputError
from fetal_seg.images.decoders import Decoders
from fetal_seg.report.prediction.tables import check_parquet

logger = logging.getLogger(__name__)

LOG = "predict.log"  # where Hydra writes what the command logs; what libraries print in C comes there as well


def run(config: PredictConfig, run_dir: Path, command_line: Sequence[str]) -> None:
    """Measure every image of the input; write tables, masks, pictures and a page.

    Raises:
        InputError: nothing can be measured, a checkpoint cannot be used, or `run_dir` cannot be written.
    """
    if "parquet" in _formats(config):
        check_parquet()
    try:
        inputs = find_inputs(config.input, cache_path(config.cache_dir))
        csv = Path(config.pixel_size_csv).expanduser() if config.pixel_size_csv else None
        find_sizes(inputs, csv, config.pixel_size_mm)
        if config.predict.shard:
            count = len(inputs)
            inputs.keep(Shard.from_text(config.predict.shard))
            logger.info("shard %s: %d of %d files", config.predict.shard, len(inputs), count)
        with Decoders(run_dir / LOG) as decoders:  # they start while PyTorch is imported
            _predict(config, run_dir, command_line, inputs, decoders)
    except sqlite3.OperationalError as error:  # the list of inputs and the places of the rows
        raise InputError(
            f"temporary files cannot be written in {tempfile.gettempdir()} ({error}); make room, or set TMPDIR, and go "
            "on with predict.resume=true"
        ) from error


def _predict(
    config: PredictConfig,
    run_dir: Path,
    command_line: Sequence[str],
    inputs: InputList,
    decoders: Decoders,
) -> None:
    from fetal_seg.commands.predict.pipeline import PredictionOptions
    from fetal_seg.commands.predict.results_folder import OutputOptions, predict_to
    from fetal_seg.commands.prove import prove_pretrained
    from fetal_seg.inference.predictor import Predictor

    checkpoints = [config.ckpt] if isinstance(config.ckpt, str) else config.ckpt
    flips, threads = config.tta == "flips", 1  # of each image: others are measured beside it
    prove_pretrained(checkpoints, config.device, config.precision, config.runtime)
    predictor = Predictor.load(
        checkpoints,
        config.device,
        flips=flips,
        precision=config.precision,
        threads=threads,
        runtime=config.runtime,
        reject=config.reject,
    )
    options = PredictionOptions(
        size_source="given" if config.pixel_size_mm else "csv",
        every=config.every,
        overlays=config.overlays,
        picture_format=config.picture_format,
        gestational_age_weeks=config.gestational_age_weeks,
    )
    output = OutputOptions(
        submission="hc18" in _formats(config),
        parquet="parquet" in _formats(config),
        dicom=(config.dicom,) if isinstance(config.dicom, str) else tuple(config.dicom),
        settings=_settings(config, checkpoints),
        resume=config.predict.resume,
        page_rows=config.predict.page_rows,
        contact_sheets=config.predict.contact_sheets,
        is_shard=config.predict.shard is not None,
        command=as_typed(command_line),
    )
    predict_to(run_dir, predictor, inputs, options, output, decoders)


def _formats(config: PredictConfig) -> Sequence[str]:
    return [config.format] if isinstance(config.format, str) else config.format


def _settings(config: PredictConfig, checkpoints: list[str]) -> dict[str, Any]:
    """What decides the numbers of a row."""
    from fetal_seg.inference.opening import locate_runnable

    contents = [locate_runnable(checkpoint).read_bytes() for checkpoint in checkpoints]
    new = {
        "shard": config.predict.shard,
        "reject": None if config.reject else False,
    }  # keys that older folders do not have
    return {key: value for key, value in new.items() if value is not None} | {
        "ckpt": [Path(checkpoint).name for checkpoint in checkpoints],
        "ckpt_digests": [hashlib.blake2b(content, digest_size=8).hexdigest() for content in contents],
        "tta": config.tta,
        "precision": config.precision,
        "every": config.every,
        "overlays": config.overlays,
        "picture_format": config.picture_format,
        "pixel_size_mm": config.pixel_size_mm,
        "gestational_age_weeks": config.gestational_age_weeks,
    }
