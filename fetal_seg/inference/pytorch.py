"""Networks run by PyTorch."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fetal_seg.inference.runtime import Look, UsedRuntime
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.head_gate import at_strides
from fetal_seg.models.blocks import fold_norms
from fetal_seg.models.building import ShowsEncoder
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.device import choose_device, choose_precision
from fetal_seg.models.preprocessing import Preprocessing, normalise

HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class PyTorchRuntime:
    """A `Runtime` on a CPU or a GPU.

    Args:
        network: maps (n, 1, h, w) to logits (n, 1, h, w).
        precision: auto, 32-true, bf16-mixed or 16-mixed, see `choose_precision`.
        threads: of the CPU, for each call; None for all.
        reason: why PyTorch was taken.

    Attributes:
        batch: eight images on a GPU; one on a CPU, whose caches it fits.
        used: see `Runtime`.
    """

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        device: torch.device,
        precision: str = "auto",
        calibration: Calibration | None = None,
        threads: int | None = None,
        reason: str = "",
    ) -> None:
        self.preprocessing, self.calibration, self._device = preprocessing, calibration, device
        self.batch, self._threads = (8 if device.type == "cuda" else 1), threads
        self._half = HALF.get(choose_precision(precision, device).name)
        numbers = str(self._half or torch.float32).removeprefix("torch.")
        self.used = UsedRuntime(f"PyTorch {torch.__version__.partition('+')[0]}, {numbers}", reason)
        self._network = fold_norms(network.eval()).to(device).to(memory_format=torch.channels_last)

    @classmethod
    def load(
        cls,
        checkpoint: str | Path | Checkpoint,
        device: str,
        precision: str,
        threads: int | None = None,
        reason: str = "",
    ) -> "PyTorchRuntime":
        """The network of a checkpoint; see `open_runtime`."""
        read = checkpoint if isinstance(checkpoint, Checkpoint) else read_checkpoint(checkpoint)
        description = read.description
        network, made, calibration = read.build_network(), description.preprocessing, description.calibration
        return cls(network, made, choose_device(device), precision, calibration, threads, reason)

    @torch.inference_mode()
    def look(self, images: NDArray[np.uint8]) -> Look:
        """See `Runtime`."""
        if self._threads is not None:
            torch.set_num_threads(self._threads)  # of the calling thread
        batch = torch.from_numpy(images)[:, None].to(self._device)
        batch = normalise(batch, self.preprocessing.mean, self.preprocessing.std).contiguous(
            memory_format=torch.channels_last
        )
        with torch.autocast(self._device.type, self._half, enabled=self._half is not None):
            if not isinstance(self._network, ShowsEncoder):
                return Look(_to_numpy(self._network(batch))[:, 0])
            levels = self._network.encode(batch)
            logits = self._network.decode(levels, *batch.shape[-2:])
        chosen = at_strides([level.shape[-1] for level in levels], images.shape[-1])
        return Look(_to_numpy(logits)[:, 0], tuple(_to_numpy(levels[number]) for number in chosen))


def _to_numpy(values: Tensor) -> NDArray[np.float32]:
    return np.asarray(values.float().cpu().numpy(), np.float32)
