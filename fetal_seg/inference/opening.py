"""From a file to what runs its network: where another runtime is added, and where one is chosen."""

from pathlib import Path
from typing import TYPE_CHECKING, Union

from fetal_seg.config.extras import REMEDY, check_training, is_installed
from fetal_seg.config.types import RuntimeName
from fetal_seg.errors import InputError
from fetal_seg.inference.exported import ExportedNetwork, ExportedRuntime, read_exported
from fetal_seg.inference.proven import choices, find_proven
from fetal_seg.inference.runtime import Runtime
from fetal_seg.models.exported import is_exported
from fetal_seg.models.weights import PRETRAINED, PRETRAINED_EXPORT, locate

if TYPE_CHECKING:
    from fetal_seg.models.checkpoint import Checkpoint

FLOAT32 = ("auto", "32-true")  # precisions that let a CPU compute in float32
Trained = Union["Checkpoint", ExportedNetwork]  # a network with what it says of itself


def locate_runnable(name: str | Path) -> Path:
    """The file of a network that a user named; of the pretrained weights the export, where PyTorch is not installed.

    Raises:
        InputError: there is none that would run here.
    """
    if str(name) != PRETRAINED or is_installed("torch"):
        return locate(name)
    if not PRETRAINED_EXPORT.is_file():
        raise InputError(
            f"ckpt={name} needs PyTorch here, since {PRETRAINED_EXPORT.name} is not in this installation: {REMEDY}, or "
            "install a wheel of `make wheel`"
        )
    return PRETRAINED_EXPORT


def read_trained(name: str | Path) -> Trained:
    """Read a checkpoint or an export.

    Args:
        name: a file, or ``pretrained``.

    Raises:
        InputError: it cannot be used, or needs PyTorch where that is not installed.
    """
    path = locate_runnable(name)
    if is_exported(path):
        return read_exported(path)
    check_training(f"ckpt={name}", ("torch", "safetensors"))
    from fetal_seg.models.checkpoint import read_checkpoint

    return read_checkpoint(name)


def open_runtime(
    trained: str | Path | Trained,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    runtime: RuntimeName = "auto",
) -> Runtime:
    """What runs the network of a checkpoint or an export.

    Args:
        trained: file, ``pretrained``, or what was read of it.
        device: auto, cpu or gpu; an export runs on the CPU.
        precision: auto, 32-true, bf16-mixed or 16-mixed; an export computes in float32.
        threads: of the CPU, for each call; None for all.
        runtime: of a checkpoint: auto, pytorch, onnx or openvino. Those but PyTorch run the pretrained weights in
            float32, where they were proven. An export has its own.

    Raises:
        InputError: it cannot be used, or there is no such device.
    """
    if isinstance(trained, str | Path) and is_exported(locate_runnable(trained)):
        trained = read_trained(trained)
    if isinstance(trained, ExportedNetwork):
        _check_exported(trained, device, precision, runtime)
        return ExportedRuntime(trained, threads, "an export" if is_installed("torch") else "PyTorch is not installed")
    if isinstance(trained, str | Path):
        check_training(f"ckpt={trained}", ("torch", "safetensors"))
    reason = why_pytorch(trained, device, precision, runtime)
    if reason is None:
        reasons = []
        for file_format in choices(runtime):
            network, reason = find_proven(file_format)
            if network is not None:
                return ExportedRuntime(network, threads, reason)
            reasons.append(reason)
        reason = "; ".join(reasons) or "neither OpenVINO nor ONNX Runtime is installed"
        if runtime != "auto":
            raise InputError(f"runtime={runtime}: {reason}; or take runtime=auto")
    from fetal_seg.inference.pytorch import PyTorchRuntime  # PyTorch is imported when a network is to run

    return PyTorchRuntime.load(trained, device, precision, threads, reason)


def why_pytorch(trained: str | Path | Trained, device: str, precision: str, runtime: RuntimeName) -> str | None:
    """Why a checkpoint can run by PyTorch alone, empty where there is no choice; None where others may run it.

    Raises:
        InputError: another is asked for by its name.
    """
    path = locate(trained) if isinstance(trained, str | Path) else trained.path
    named = runtime not in ("auto", "pytorch")
    if path.absolute() != locate(PRETRAINED).absolute():
        if named:
            raise InputError(
                f"runtime={runtime} is for the pretrained weights; make a file of others that it runs: "
                f"python export.py format={runtime} ckpt={path}"
            )
        return ""
    if named and (device == "gpu" or precision not in FLOAT32):
        raise InputError(f"runtime={runtime} computes on the CPU in float32; leave device and precision out")
    if runtime == "pytorch":
        return "as asked for"
    if precision not in FLOAT32:
        return f"precision={precision} is asked for"
    return None if named or not _on_gpu(device) else "there is a GPU"


def _on_gpu(device: str) -> bool:
    if not is_installed("torch"):
        return False
    from fetal_seg.models.device import choose_device

    return choose_device(device).type != "cpu"


def _check_exported(trained: ExportedNetwork, device: str, precision: str, runtime: RuntimeName) -> None:
    if device == "gpu":
        raise InputError(f"ckpt={trained.path} runs on the CPU; take device=auto, or the checkpoint itself")
    if precision not in FLOAT32:
        raise InputError(f"ckpt={trained.path} computes in float32; take precision=auto, or the checkpoint itself")
    if runtime not in ("auto", trained.export.format):
        raise InputError(f"ckpt={trained.path} is for {trained.export.format}, not runtime={runtime}; leave that out")
