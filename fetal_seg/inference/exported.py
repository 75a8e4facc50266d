"""Exported networks, read and run: by ONNX Runtime or by OpenVINO, on a CPU. Needs no PyTorch.

A file cannot run code: it is given to its runtime as bytes, so that it can name no other file, and without libraries of
custom operators, so that it can call nothing but the runtime's own.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_seg.errors import InputError, one_line
from fetal_seg.inference.runtime import Look
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.description import CheckpointDescription
from fetal_seg.models.exported import ENTRY, INPUT, SUFFIXES, ExportDescription, check_seal, from_metadata
from fetal_seg.models.preprocessing import Preprocessing

Run = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]  # of images (n, height, width): logits and features


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
    contents = _contents(path)
    check_seal(path, contents)
    metadata = {"onnx": _onnx_metadata, "openvino": _openvino_metadata}[SUFFIXES[path.suffix.lower()]]
    return ExportedNetwork(path, *from_metadata(path, metadata(path, contents)), contents)


class ExportedRuntime:
    """A `Runtime` of an export.

    Args:
        network: what was read.
        threads: of the CPU, for each call; None for all.
    """

    batch = 1  # which a CPU's caches fit

    def __init__(self, network: ExportedNetwork, threads: int | None = None) -> None:
        start = {"onnx": _start_onnx, "openvino": _start_openvino}[network.export.format]
        self._run = start(network, threads)
        self._description = network.description

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
        logits, *features = self._run(images)
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


def _onnx_session(path: Path, content: bytes, threads: int | None, *, optimise: bool) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"ckpt={path} needs ONNX Runtime: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 4  # what is wrong is raised as well
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        raise _unusable(path, error) from error


def _onnx_metadata(path: Path, contents: tuple[bytes, ...]) -> str:
    session = _onnx_session(path, contents[0], 1, optimise=False)
    return str(session.get_modelmeta().custom_metadata_map.get(ENTRY, ""))


def _start_onnx(network: ExportedNetwork, threads: int | None) -> Run:
    session = _onnx_session(network.path, network.contents[0], threads, optimise=True)
    return lambda images: list(session.run(None, {INPUT: images}))


def _openvino_model(path: Path, contents: tuple[bytes, ...]) -> tuple[Any, Any]:
    try:
        import openvino
    except ImportError as error:
        raise InputError(f"ckpt={path} needs OpenVINO: pip install 'fetal_seg[openvino]'") from error
    core = openvino.Core()
    try:
        weights = openvino.Tensor(np.frombuffer(contents[1], np.uint8))
        return core, core.read_model(contents[0], weights)
    except Exception as error:  # its errors have no common class
        raise _unusable(path, error) from error


def _openvino_metadata(path: Path, contents: tuple[bytes, ...]) -> str:
    _, model = _openvino_model(path, contents)
    return str(model.get_rt_info([ENTRY]).value) if model.has_rt_info([ENTRY]) else ""


def _start_openvino(network: ExportedNetwork, threads: int | None) -> Run:
    """Compiled in float32, which OpenVINO leaves for bfloat16 where a CPU has it; a thread has a request of its own."""
    core, model = _openvino_model(network.path, network.contents)
    cores = os.cpu_count() or 1
    streams = 1 if threads is None else max(cores // threads, 1)
    keys = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": cores}
    try:
        compiled = core.compile_model(model, "CPU", keys)
    except Exception as error:  # its errors have no common class
        raise _unusable(network.path, error) from error
    own = threading.local()

    def run(images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        results = own.request.infer({INPUT: images})
        return [np.array(results[output]) for output in compiled.outputs]  # the request writes there again

    return run


def _unusable(path: Path, error: Exception) -> InputError:
    return InputError(f"ckpt={path} cannot be run ({one_line(error)}); export the checkpoint again")
