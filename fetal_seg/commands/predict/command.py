"""``predict.py``, from a checked configuration to a folder of results.

What it needs is imported where it is used: inputs that cannot be used are refused before torch is imported.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fetal_seg.commands.command_line import as_typed
from fetal_seg.commands.predict.inputs import InputFile, find_inputs, pixel_sizes
from fetal_seg.config.commands import PredictConfig
from fetal_seg.data.loading import cache_path
from fetal_seg.images.decoders import Decoders

LOG = "predict.log"  # where Hydra writes what the command logs; what libraries print in C comes there as well


def run(config: PredictConfig, run_dir: Path, command_line: Sequence[str]) -> None:
    """Measure every image of the input; write tables, masks, pictures and a page.

    Raises:
        InputError: nothing can be measured, a checkpoint cannot be used, or `run_dir` cannot be written.
    """
    inputs = find_inputs(config.input, cache_path(config.cache_dir))
    csv = Path(config.pixel_size_csv).expanduser() if config.pixel_size_csv else None
    sizes = pixel_sizes(inputs, csv, config.pixel_size_mm)

    with Decoders(run_dir / LOG) as decoders:  # they start while PyTorch is imported
        _predict(config, run_dir, command_line, inputs, sizes, decoders)


def _predict(
    config: PredictConfig,
    run_dir: Path,
    command_line: Sequence[str],
    inputs: Sequence[InputFile],
    sizes: dict[str, float],
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
        sizes,
        size_source="given" if config.pixel_size_mm else "csv",
        every=config.every,
        overlays=config.overlays,
        picture_format=config.picture_format,
        gestational_age_weeks=config.gestational_age_weeks,
    )
    output = OutputOptions(
        submission=config.format == "hc18",
        dicom=(config.dicom,) if isinstance(config.dicom, str) else tuple(config.dicom),
        settings=_settings(config, checkpoints),
        resume=config.predict.resume,
        command=as_typed(command_line),
    )
    predict_to(run_dir, predictor, inputs, options, output, decoders)


def _settings(config: PredictConfig, checkpoints: list[str]) -> dict[str, Any]:
    """What decides the numbers of a row."""
    from fetal_seg.inference.opening import locate_runnable

    contents = [locate_runnable(checkpoint).read_bytes() for checkpoint in checkpoints]
    rejects = {} if config.reject else {"reject": False}  # folders that were begun before the key came go on
    return rejects | {
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
