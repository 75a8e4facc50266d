"""Segment and measure heads: ``python predict.py ckpt=RUN/checkpoints/best.ckpt input=FILE_OR_FOLDER``."""

import logging
from pathlib import Path

from fetal_seg.cli import command
from fetal_seg.config import PredictConfig

logger = logging.getLogger("predict")


@command("predict", "PredictConfig")
def predict(config: PredictConfig, run_dir: Path) -> None:
    """Predict every image of the input; write masks, overlays, a table and a contact sheet."""
    from fetal_seg.data.inputs import find_images, pixel_sizes
    from fetal_seg.data.sources import cache_folder
    from fetal_seg.predictor import Predictor
    from fetal_seg.report.prediction import predict_to

    source = Path(config.input).expanduser()
    images = find_images(source, cache_folder(config.cache_dir))
    csv = Path(config.pixel_size_csv).expanduser() if config.pixel_size_csv else None
    sizes = pixel_sizes(source, images, csv, config.pixel_size_mm)
    predictor = Predictor.load(Path(config.ckpt).expanduser(), config.device)
    measured = predict_to(run_dir, predictor, images, sizes, overlays=config.overlays)
    logger.info("%d of %d images with a head\nresults: %s", measured, len(images), run_dir)


if __name__ == "__main__":
    predict()
