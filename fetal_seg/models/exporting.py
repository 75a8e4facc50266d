"""Write a checkpoint's network as a file that ONNX Runtime or OpenVINO runs, with all that a measurement needs.

The network's size is fixed, its batch is not. Scaling of grey values is a part of the graph, batch normalisations are
folded into convolutions, and what a head gate looks at are outputs beside the logits. Weights in float16 are made
float32 when the file is loaded, and all is computed in float32.
In int8, activations have ranges that calibration images gave. The first convolutions, at the finest levels, stay in
float32: without that, circumferences differ more.
"""

import contextlib
import hashlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fetal_seg.config.types import ExportFormat, ExportPrecision
from fetal_seg.errors import InputError, one_line
from fetal_seg.geometry.arrays import Grey
from fetal_seg.measurement.head_gate import at_strides
from fetal_seg.models.blocks import fold_norms
from fetal_seg.models.building import ShowsEncoder
from fetal_seg.models.checkpoint import Checkpoint
from fetal_seg.models.exported import INPUT, ExportDescription, sealed, to_metadata
from fetal_seg.models.preprocessing import Preprocessing, normalise
from fetal_seg.models.runtimes import import_runtime, missing_packages, without_telemetry

if TYPE_CHECKING:
    import onnx

OPSET = 18  # of ONNX; what torch's exporter is written for, and onnxruntime-web reads
FIRST_IN_FLOAT = 10  # convolutions that int8 leaves in float32
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


def check_packages(file_format: ExportFormat, precision: ExportPrecision) -> None:
    """See that what writes and runs a format is installed.

    Raises:
        InputError: it is not.
    """
    if missing := missing_packages(file_format, precision):
        raise InputError(
            f"format={file_format} needs {', '.join(missing)}: pip install 'fetal_seg[{file_format}]' brings all"
        )


def export(
    checkpoint: Checkpoint, file_format: ExportFormat, precision: ExportPrecision, calibration: Sequence[Grey] = ()
) -> list[bytes]:
    """The contents of the files of an export: one of ONNX; of OpenVINO the ``.xml`` and the ``.bin``.

    Args:
        calibration: images (height, width) at the network's size, for int8; about a hundred.

    Raises:
        InputError: the network has operations that ONNX does not know.
    """
    digest = hashlib.sha256(checkpoint.path.read_bytes()).hexdigest()
    metadata = to_metadata(checkpoint.description, ExportDescription(file_format, precision, digest))
    model = _to_onnx(checkpoint)
    if file_format == "openvino":
        return sealed(_to_openvino(model, metadata, precision, calibration))
    if precision == "f16":
        _halve(model)
    if precision == "int8":
        model = _quantised(model, calibration)
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
def _quiet() -> Iterator[None]:
    """Without the messages of what writes exports."""
    names = ("torch.onnx", "torch.export", "torch.utils.cpp_extension", "onnxscript", "onnx_ir", "nncf", "root")
    loggers = [logging.getLogger(name) for name in names]
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


def _quantised(model: "onnx.ModelProto", calibration: Sequence[Grey]) -> "onnx.ModelProto":
    """Static quantisation by ONNX Runtime, which is nearer to float32 than NNCF's of the same model."""
    import_runtime("onnx")
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Images(CalibrationDataReader):  # type: ignore[misc]  # reason: it has no types
        def __init__(self) -> None:
            self._left = iter(calibration)

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            image = next(self._left, None)
            return None if image is None else {INPUT: image[None]}

    with tempfile.TemporaryDirectory() as name, _quiet():
        whole, prepared, quantised = (Path(name) / f"{number}.onnx" for number in range(3))
        onnx.save(model, whole)
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        first = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv"][:FIRST_IN_FLOAT]
        quantize_static(
            prepared,
            quantised,
            Images(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=first,
        )
        return onnx.load(quantised)


def _to_openvino(
    model: "onnx.ModelProto", metadata: dict[str, str], precision: ExportPrecision, calibration: Sequence[Grey]
) -> list[bytes]:
    openvino = import_runtime("openvino")
    converted = openvino.Core().read_model(model.SerializeToString())
    if precision == "int8":
        converted = _quantised_openvino(converted, calibration)
    for key, value in metadata.items():
        converted.set_rt_info(value, [key])
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "network.xml"
        openvino.save_model(converted, file, compress_to_fp16=precision == "f16")
        return [file.read_bytes(), file.with_suffix(".bin").read_bytes()]


def _quantised_openvino(model: Any, calibration: Sequence[Grey]) -> Any:
    """Static quantisation by NNCF."""
    kinds = ("Convolution", "GroupConvolution")
    convolutions = [part.get_friendly_name() for part in model.get_ordered_ops() if part.get_type_name() in kinds]
    with _quiet(), without_telemetry():
        import nncf  # which lets PyTorch look for a compiler of CUDA, and tell of it

        return nncf.quantize(
            model,
            nncf.Dataset([image[None] for image in calibration]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(calibration),
            ignored_scope=nncf.IgnoredScope(names=convolutions[:FIRST_IN_FLOAT]),
        )
