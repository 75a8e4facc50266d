"""Write a checkpoint's network as a file that ONNX Runtime or OpenVINO runs, with all that a measurement needs.

The network's size is fixed, its batch is not. Scaling of grey values is a part of the graph, batch normalisations are
folded into convolutions, and what a head gate looks at are outputs beside the logits. Weights in float16 are made
float32 when the file is loaded, and all is computed in float32.
"""

import contextlib
import hashlib
import importlib.util
import io
import logging
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fetal_seg.config.types import ExportFormat, ExportPrecision
from fetal_seg.errors import InputError, one_line
from fetal_seg.measurement.head_gate import at_strides
from fetal_seg.models.blocks import fold_norms
from fetal_seg.models.building import ShowsEncoder
from fetal_seg.models.checkpoint import Checkpoint
from fetal_seg.models.exported import INPUT, ExportDescription, sealed, to_metadata
from fetal_seg.models.preprocessing import Preprocessing, normalise

if TYPE_CHECKING:
    import onnx

OPSET = 18  # of ONNX; what torch's exporter is written for, and onnxruntime-web reads
NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("onnx", "onnxscript", "openvino")}
SMALL = 1024  # float32 weights of a tensor that stay as they are in float16


class GreyToLogits(nn.Module):
    """From grey images (n, height, width) uint8 to logits (n, height, width), and the levels that a gate looks at."""

    def __init__(self, network: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network, self.preprocessing = fold_norms(network.eval()), preprocessing

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        made = self.preprocessing
        batch = normalise(images[:, None], made.mean, made.std)
        if not isinstance(self.network, ShowsEncoder):
            return (self.network(batch)[:, 0],)
        levels = self.network.encode(batch)
        logits = self.network.decode(levels, made.height, made.width)
        chosen = at_strides([level.shape[-1] for level in levels], made.width)
        return (logits[:, 0], *(levels[number] for number in chosen))


def check_packages(file_format: ExportFormat) -> None:
    """See that what writes and runs a format is installed.

    Raises:
        InputError: it is not.
    """
    missing = [name for name in NEEDED[file_format] if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"format={file_format} needs {', '.join(missing)}: pip install 'fetal_seg[{file_format}]' brings all"
        )


def export(checkpoint: Checkpoint, file_format: ExportFormat, precision: ExportPrecision) -> list[bytes]:
    """The contents of the files of an export: one of ONNX; of OpenVINO the ``.xml`` and the ``.bin``.

    Raises:
        InputError: the network has operations that ONNX does not know.
    """
    digest = hashlib.sha256(checkpoint.path.read_bytes()).hexdigest()
    metadata = to_metadata(checkpoint.description, ExportDescription(file_format, precision, digest))
    model = _to_onnx(checkpoint)
    if file_format == "openvino":
        return sealed(_to_openvino(model, metadata, precision))
    if precision == "f16":
        _halve(model)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    return sealed([model.SerializeToString()])


def _to_onnx(checkpoint: Checkpoint) -> "onnx.ModelProto":
    made = checkpoint.description.preprocessing
    network = GreyToLogits(checkpoint.build_network(), made)
    two = torch.zeros(2, made.height, made.width, dtype=torch.uint8)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet():
            warnings.simplefilter("ignore")  # of the exporter, to its own authors
            program: Any = torch.onnx.export(
                network,
                (two,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
                input_names=[INPUT],
                opset_version=OPSET,
                verbose=False,
            )
            program.optimize()
    except Exception as error:  # the exporter has many kinds
        raise InputError(
            f"ckpt={checkpoint.path}: the network {checkpoint.description.network.name} has no form in "
            f"ONNX ({one_line(error)}); export another"
        ) from error
    model: onnx.ModelProto = program.model_proto
    return model


@contextlib.contextmanager
def _quiet() -> Any:
    """Without the exporter's messages."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _halve(model: "onnx.ModelProto") -> None:
    """Keep large weights in float16, in place; the graph makes them float32 again when it is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= SMALL:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_f16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], f"{name}_to_f32", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _to_openvino(model: "onnx.ModelProto", metadata: dict[str, str], precision: ExportPrecision) -> list[bytes]:
    import openvino

    converted = openvino.Core().read_model(model.SerializeToString())
    for key, value in metadata.items():
        converted.set_rt_info(value, [key])
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "network.xml"
        openvino.save_model(converted, file, compress_to_fp16=precision == "f16")
        return [file.read_bytes(), file.with_suffix(".bin").read_bytes()]
