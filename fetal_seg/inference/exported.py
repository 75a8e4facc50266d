"""Exported networks, read and run: by ONNX Runtime or by OpenVINO, on a CPU. Needs no PyTorch.

A file cannot run code: it is given to its runtime as bytes, so that it can name no other file, and without libraries of
custom operators, so that it can call nothing but the runtime's own.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fetal_seg.errors import InputError, one_line
from fetal_seg.inference.runtime import Look, UsedRuntime
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.description import CheckpointDescription
from fetal_seg.models.exported import (
    INPUT,
    SUFFIXES,
    ExportDescription,
    check_seal,
    from_metadata,
    metadata_of,
)
from fetal_seg.models.preprocessing import Preprocessing
from fetal_seg.models.processor import usable_cores
from fetal_seg.models.runtimes import RUNTIMES, can_run, import_runtime, runtime_title

Run = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]  # of an image (1, height, width): logits and features


@dataclass(frozen=True, eq=False)
class ExportedNetwork:
    """An export that was read and found whole.

    Attributes:
        path: its file; of OpenVINO the ``.xml``.
        description: what the checkpoint said of itself.
        export: how it was made.
        contents: of its files.
    """

    path: Path
    description: CheckpointDescription
    export: ExportDescription
    contents: tuple[bytes, ...]


def read_exported(path: Path) -> ExportedNetwork:
    """Read an export.

    Raises:
        InputError: it is missing, damaged, or of another program; or what runs it is not installed.
    """
    file_format = SUFFIXES[path.suffix.lower()]
    contents = _contents(path)
    check_seal(path, contents)
    if not can_run(file_format):
        raise InputError(f"ckpt={path} needs {RUNTIMES[file_format]}: pip install 'fetal_seg[{file_format}]'")
    return ExportedNetwork(path, *from_metadata(path, metadata_of(contents)), contents)


class ExportedRuntime:
    """A `Runtime` of an export: one image at a time, which a CPU's caches fit.

    Args:
        network: what was read.
        threads: of the CPU, for each call; None for as many as PyTorch would take.
        reason: why it was taken.
    """

    batch = 1

    def __init__(self, network: ExportedNetwork, threads: int | None = None, reason: str = "") -> None:
        start = {"onnx": _start_onnx, "openvino": _start_openvino}[network.export.format]
        self._description, made = network.description, network.export
        try:
            self._run = start(network, threads)
        except Exception as error:  # the errors of runtimes have no common class
            raise InputError(f"ckpt={network.path} cannot be run ({one_line(error)}); export it again") from error
        computed = "int8" if made.precision == "int8" else "float32"
        self.used = UsedRuntime(f"{runtime_title(made.format)}, {computed}", reason)

    @property
    def preprocessing(self) -> Preprocessing:
        """See `Runtime`."""
        return self._description.preprocessing

    @property
    def calibration(self) -> Calibration | None:
        """See `Runtime`."""
        return self._description.calibration

    def look(self, images: NDArray[np.uint8]) -> Look:
        """See `Runtime`."""
        parts = [self._run(image[None]) for image in images]
        logits, *features = (
            parts[0] if len(parts) == 1 else (np.concatenate(outputs) for outputs in zip(*parts, strict=True))
        )
        return Look(logits, tuple(features))


def _contents(path: Path) -> tuple[bytes, ...]:
    parts = [path, path.with_suffix(".bin")] if SUFFIXES[path.suffix.lower()] == "openvino" else [path]
    for part in parts:
        if not part.is_file():
            raise InputError(f"ckpt={path}: there is no file {part}; give an export with all its files")
    try:
        return tuple(part.read_bytes() for part in parts)
    except OSError as error:
        raise InputError(f"ckpt={path} cannot be read ({error.strerror}); permit it") from error


def _start_onnx(network: ExportedNetwork, threads: int | None) -> Run:
    """Its threads sleep between images: those that spin take cores from whatever else works there."""
    onnxruntime = import_runtime("onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _all_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what is wrong is raised as well
    session = onnxruntime.InferenceSession(network.contents[0], options, providers=["CPUExecutionProvider"])
    return lambda image: list(session.run(None, {INPUT: image}))


def _start_openvino(network: ExportedNetwork, threads: int | None) -> Run:
    """Compiled for single images, in float32, which OpenVINO leaves for bfloat16 where a CPU has it.

    Each thread that calls it has a request of its own.
    """
    openvino = import_runtime("openvino")
    core, made = openvino.Core(), network.description.preprocessing
    model = core.read_model(network.contents[0], openvino.Tensor(np.frombuffer(network.contents[1], np.uint8)))
    model.reshape({INPUT: [1, made.height, made.width]})
    streams = 1 if threads is None else max(usable_cores() // threads, 1)
    keys = {
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams * (threads or _all_threads()),
    }
    compiled = core.compile_model(model, "CPU", keys)
    own = threading.local()

    def run(image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        results = own.request.infer({INPUT: image})
        return [np.array(results[output]) for output in compiled.outputs]  # the request writes there again

    return run


def _all_threads() -> int:
    """As many as PyTorch takes: what ``OMP_NUM_THREADS`` says, else one a core."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else usable_cores()
