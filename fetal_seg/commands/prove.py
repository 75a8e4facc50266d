"""Prove, once on each kind of processor, that exports of the pretrained weights measure as PyTorch does.

A prediction or an evaluation does so before it begins; what is proven is used from then on, also by `Predictor.load`.
What it needs is imported where it is used: mostly there is nothing to prove.
"""

import json
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from fetal_seg.config.types import ExportFormat, RuntimeName
from fetal_seg.errors import InputError, one_line
from fetal_seg.files import whole_folder, write_text
from fetal_seg.inference.opening import Trained, why_pytorch
from fetal_seg.inference.proven import (
    PROOF,
    Proof,
    choices,
    exported_file,
    find_proven,
    obstacle,
    proof_folder,
    read_proof,
)
from fetal_seg.models.runtimes import runtime_title

if TYPE_CHECKING:
    from fetal_seg.data.records import Record
    from fetal_seg.evaluation.parity import Parity

logger = logging.getLogger(__name__)

PHANTOMS = 8  # that are measured both ways


def prove_pretrained(
    checkpoints: Sequence[str | Path | Trained], device: str, precision: str, runtime: RuntimeName
) -> None:
    """Prove what is to run the pretrained weights, if they are among the checkpoints, unless that was done before.

    It takes some seconds, and says so. Where it cannot be done, `open_runtime` tells why.

    Raises:
        InputError: a runtime is asked for by its name, and cannot run a checkpoint or is not installed.
    """
    if all(why_pytorch(trained, device, precision, runtime) is not None for trained in checkpoints):
        return
    for file_format in choices(runtime):
        if _is_open(file_format) and not obstacle(file_format):
            try:
                _prove(file_format)
            except (OSError, InputError) as error:  # of what is written; a prediction goes on by PyTorch
                logger.warning("%s was not proven: %s", runtime_title(file_format), error)
        if (proof := read_proof(proof_folder(file_format))) and not proof.refused:
            return


def _is_open(file_format: ExportFormat) -> bool:
    """Whether there is neither an export that was proven and is whole, nor a proof that failed."""
    proof = read_proof(proof_folder(file_format))
    return proof is None or not (proof.refused or find_proven(file_format)[0])


def _prove(file_format: ExportFormat) -> None:
    """Export, compare and keep both; of processes that need it at once, one does it, and the others wait for it."""
    from fetal_seg.config.data import PhantomConfig
    from fetal_seg.data.loading import cache_path, load_records

    folder, title, start = proof_folder(file_format), runtime_title(file_format), time.perf_counter()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        if not _is_open(file_format):
            return
        logger.info("proving once that %s measures as PyTorch does on this kind of CPU", title)
        records = load_records(PhantomConfig(images=PHANTOMS, test_images=0).choice, cache_path())
        shutil.rmtree(folder, ignore_errors=True)  # what is damaged
        with whole_folder(folder) as temporary:
            proof = _proof(exported_file(file_format, temporary), file_format, records)
            if proof.refused:
                for part in temporary.iterdir():
                    part.unlink()
            write_text(temporary / PROOF, json.dumps(proof.to_dict(), indent=1) + "\n")
    logger.info("%s: %s; %.1f s, once", title, proof.refused or f"proven, {proof}", time.perf_counter() - start)


def _proof(file: Path, file_format: ExportFormat, records: "Sequence[Record]") -> Proof:
    """Export the pretrained weights into a file, if it is not there, and measure records by it and by PyTorch."""
    from fetal_seg.evaluation.proving import compare
    from fetal_seg.inference.predictor import Predictor
    from fetal_seg.models.checkpoint import read_checkpoint
    from fetal_seg.models.exporting import export
    from fetal_seg.models.weights import PRETRAINED

    try:
        checkpoint = read_checkpoint(PRETRAINED)
        contents = [] if file.is_file() else export(checkpoint, file_format, "f32")
        for part, content in zip((file, file.with_suffix(".bin")), contents, strict=False):
            part.write_bytes(content)
        reference = Predictor.load(checkpoint, "cpu", precision="32-true", runtime="pytorch")
        parity = compare(reference, Predictor.load(file), records)
    except OSError:
        raise
    except Exception as error:  # exporters and runtimes have many kinds
        return Proof(0, 0.0, one_line(error))
    return Proof(len(records), min(parity.percent[0], 100.0), _why_refused(parity))


def _why_refused(parity: "Parity") -> str:
    from fetal_seg.evaluation.parity import MOST_PERCENT

    worst = parity.worst
    if worst.difference_percent > MOST_PERCENT["f32"]:
        return f"the circumference of {worst.file} differs by {worst.difference_percent:.3g} %"
    if parity.flags:
        return f"{parity.flags} of {len(parity.pairs)} images have another flag"
    return "" if any(pair.reference.hc_px for pair in parity.pairs) else "PyTorch finds no head in phantoms"
