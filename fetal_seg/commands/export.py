"""Export a checkpoint's network, and prove that the file measures as the checkpoint does before it is left there."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from fetal_seg.commands.choosing import choose_records, read_records
from fetal_seg.config.commands import EvaluateConfig, ExportConfig
from fetal_seg.config.data import FromRunConfig, PhantomConfig
from fetal_seg.data.records import Record
from fetal_seg.errors import InputError
from fetal_seg.evaluation.parity import MOST_PERCENT, Parity, write_parity
from fetal_seg.evaluation.proving import compare
from fetal_seg.files import whole_file
from fetal_seg.geometry.arrays import Grey
from fetal_seg.inference.exported import read_exported
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.exported import SUFFIXES, is_exported
from fetal_seg.models.exporting import check_packages, export
from fetal_seg.report.terminal import parity_table

logger = logging.getLogger(__name__)

CALIBRATING = 150  # images, about
PROOF = "_proof.csv"  # of the table beside an export
PHANTOMS = PhantomConfig(images=60, test_images=1)  # which stand in for a checkpoint's own images


def run(config: ExportConfig, hc18_root: str) -> None:
    """Export a checkpoint beside the table of its proof.

    Raises:
        InputError: the checkpoint cannot be exported, or the file measures otherwise.
    """
    if is_exported(Path(config.ckpt)):
        raise InputError(f"ckpt={config.ckpt} is an export already; give the checkpoint that it was made of")
    check_packages(config.format, config.precision)
    checkpoint = read_checkpoint(config.ckpt)
    target = export_path(config, checkpoint)
    everything, records = _records(config, checkpoint, hc18_root)
    calibration = _calibration(checkpoint, everything) if config.precision == "int8" else []
    logger.info("exporting %s as %s", checkpoint.path, target.name)
    contents = export(checkpoint, config.format, config.precision, calibration)
    with whole_file(target) as temporary:
        parts = [temporary, temporary.with_suffix(".bin")][: len(contents)]
        try:
            for part, content in zip(parts, contents, strict=True):
                part.write_bytes(content)
            parity = compare(
                Predictor.load(checkpoint, "cpu", precision="32-true", runtime="pytorch"),
                Predictor.load(read_exported(temporary)),
                records,
            )
            Console().print(parity_table(parity, config.format, config.precision))
            _check(parity, config)
            write_parity(target.with_name(target.stem + PROOF), parity)
            for part in parts[1:]:
                part.replace(target.with_suffix(part.suffix))
        finally:
            for part in parts[1:]:
                part.unlink(missing_ok=True)
    logger.info("export: %s (%.1f MB)", target, sum(map(len, contents)) / 1e6)


def export_path(config: ExportConfig, checkpoint: Checkpoint) -> Path:
    """Where an export is written.

    Raises:
        InputError: its name does not say its format.
    """
    suffix = next(suffix for suffix, known in SUFFIXES.items() if known == config.format)
    if config.output is None:
        return Path(f"{checkpoint.path.stem}_{config.precision}{suffix}")
    path = Path(config.output).expanduser()
    if path.suffix.lower() != suffix:
        raise InputError(f"output={config.output}: a file of format={config.format} ends in {suffix}; name it so")
    return path


def _records(config: ExportConfig, checkpoint: Checkpoint, hc18_root: str) -> tuple[Sequence[Record], Sequence[Record]]:
    """All images, and those that the proof measures: the validation part or what is asked for, else phantoms."""
    asked = EvaluateConfig(ckpt=config.ckpt, data=config.data)
    try:
        everything = read_records(asked, [checkpoint], hc18_root)
        return everything, choose_records(asked, [checkpoint], everything)[0]
    except InputError as error:
        if not isinstance(config.data, FromRunConfig) or config.data.root:
            raise
        logger.warning("proved on phantoms, since its own images are not there: %s", error)
        phantoms = replace(PHANTOMS, limit=config.data.limit, cache_dir=config.data.cache_dir)
        everything = read_records(replace(asked, data=phantoms), [checkpoint], hc18_root)
        return everything, everything[: config.data.limit]


def _calibration(checkpoint: Checkpoint, everything: Sequence[Record]) -> list[Grey]:
    """Training images at the network's size, spread over all of them; of other data any."""
    trained = set(checkpoint.description.split.train)
    chosen = [record for record in everything if record.name in trained] or list(everything)
    letterbox = checkpoint.description.preprocessing.letterbox
    return [letterbox.apply(record.read_image()) for record in chosen[:: max(len(chosen) // CALIBRATING, 1)]]


def _check(parity: Parity, config: ExportConfig) -> None:
    most, worst = config.max_difference_percent or MOST_PERCENT[config.precision], parity.worst
    if parity.percent[0] <= most:
        return
    if worst.reference.hc_px is None or worst.other.hc_px is None:
        found = "the checkpoint" if worst.other.hc_px is None else "the export"
        raise InputError(f"{worst.file}: {found} alone finds a head; the export was not kept: take precision=f32")
    raise InputError(
        f"{worst.file}: the circumference differs by {worst.difference_percent:.3g} %, more than "
        f"max_difference_percent={most:g}; the export was not kept: take precision=f32, or allow more"
    )
