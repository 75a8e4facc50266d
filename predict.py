"""Segment and measure heads: ``python predict.py input=FILE_OR_FOLDER [ckpt=RUN/checkpoints/best.ckpt]``."""

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

from fetal_seg.cli.app import command
from fetal_seg.config.commands import PredictConfig

logger = logging.getLogger("predict")


@command("predict", PredictConfig)
def predict(config: PredictConfig, run_dir: Path, command_line: list[str]) -> None:
    """Measure every image of the input; write tables, masks, pictures and a page."""
    from fetal_seg.commands.predict.inputs import find_inputs, pixel_sizes
    from fetal_seg.data.sources import cache_folder

    inputs = find_inputs(config.input, cache_folder(config.cache_dir))
    csv = Path(config.pixel_size_csv).expanduser() if config.pixel_size_csv else None
    sizes = pixel_sizes(inputs, csv, config.pixel_size_mm)

    # Threads that wait for the network's next layer would take the cores from those that draw and write
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from fetal_seg.commands.predict.folder import Extras, predict_to
    from fetal_seg.commands.predict.pipeline import Wishes
    from fetal_seg.inference.predictor import Predictor

    checkpoints = [config.ckpt] if isinstance(config.ckpt, str) else config.ckpt
    predictor = Predictor.load(checkpoints, config.device, flips=config.tta == "flips", precision=config.precision)
    source = "given" if config.pixel_size_mm else "csv"
    wishes = Wishes(sizes, source, config.every, config.overlays, config.gestational_age_weeks)
    kinds = (config.dicom,) if isinstance(config.dicom, str) else tuple(config.dicom)
    extras = Extras(config.format == "hc18", kinds, _settings(config, checkpoints), config.predict.resume)
    predict_to(run_dir, predictor, inputs, wishes, extras)


def _settings(config: PredictConfig, checkpoints: list[str]) -> dict[str, Any]:
    """What decides the numbers of a row."""
    from fetal_seg.models.weights import locate

    digests = [hashlib.blake2b(locate(one).read_bytes(), digest_size=8).hexdigest() for one in checkpoints]
    return {
        "ckpt": [Path(one).name for one in checkpoints],
        "ckpt_digests": digests,
        "tta": config.tta,
        "precision": config.precision,
        "every": config.every,
        "overlays": config.overlays,
        "pixel_size_mm": config.pixel_size_mm,
        "gestational_age_weeks": config.gestational_age_weeks,
    }


if __name__ == "__main__":
    predict()
