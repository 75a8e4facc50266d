"""The programs that write and run exports: which are installed, and their import without what they tell their makers.

ONNX Runtime (since 1.32) and OpenVINO send telemetry by default, the latter whenever it is imported.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from fetal_seg.config.extras import is_installed
from fetal_seg.config.types import ExportFormat, ExportPrecision

RUNTIMES: dict[ExportFormat, str] = {"openvino": "OpenVINO", "onnx": "ONNX Runtime"}  # the fastest first
_PACKAGES: dict[ExportFormat, str] = {"openvino": "openvino", "onnx": "onnxruntime"}
_EXPORTERS = ("torch", "onnx", "onnxscript")


def can_run(file_format: ExportFormat) -> bool:
    """Whether what runs a format can be imported."""
    try:
        import_runtime(file_format)
    except ImportError:
        return False
    return True


def runtime_title(file_format: ExportFormat) -> str:
    """What runs a format, with its version: ``OpenVINO 2026.4.1``."""
    return f"{RUNTIMES[file_format]} {import_runtime(file_format).__version__.partition('-')[0]}"


def missing_packages(file_format: ExportFormat, precision: ExportPrecision) -> list[str]:
    """What writes and runs a format and is not installed."""
    needed = [*_EXPORTERS, _PACKAGES[file_format]]
    if (file_format, precision) == ("openvino", "int8"):
        needed.append("nncf")
    return [name for name in needed if not is_installed(name)]


def import_runtime(file_format: ExportFormat) -> Any:
    """The package that runs a format.

    Raises:
        ImportError: it is not installed.
    """
    with without_telemetry():
        return importlib.import_module(_PACKAGES[file_format])


@contextlib.contextmanager
def without_telemetry() -> Iterator[None]:
    """What is imported for the first time within this sends nothing, as long as the process lives."""
    variable, package = "ORT_DISABLE_TELEMETRY", "openvino_telemetry"
    told, known = os.environ.get(variable), package in sys.modules
    os.environ[variable] = "1"
    if not known:
        sys.modules[package] = None  # type: ignore[assignment]  # reason: OpenVINO and NNCF do without it then
    try:
        yield
    finally:
        if not known:
            del sys.modules[package]
        if told is None:
            del os.environ[variable]
        else:
            os.environ[variable] = told
