"""What runs a network: one trained network with its preprocessing."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.models.blocks import fold_norms
from fetal_seg.models.checkpoint import Description
from fetal_seg.models.device import choose_precision
from fetal_seg.models.preprocessing import normalise

Logits = NDArray[np.float32]


HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Member:
    """A trained network with its preprocessing.

    Args:
        network: maps (n, 1, h, w) to logits (n, 1, h, w).
        preprocessing: height, width, mean and std, as a checkpoint has them.
        device: where the network runs.
        precision: auto, 32-true, bf16-mixed or 16-mixed, see ``fetal_seg.precision``.
    """

    def __init__(
        self, network: nn.Module, preprocessing: Description, device: torch.device, precision: str = "auto"
    ) -> None:
        self.letterbox = Letterbox(preprocessing["height"], preprocessing["width"])
        self._mean, self._std, self._device = preprocessing["mean"], preprocessing["std"], device
        self._half = HALF.get(choose_precision(precision, device)[0])
        self._network = fold_norms(network.eval()).to(device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def logits(self, framed: NDArray[np.uint8], axes: tuple[int, ...]) -> Logits:
        """Logits (n, height, width) of letterboxed images of that shape, seen flipped along `axes`."""
        batch = torch.from_numpy(framed)[:, None].to(self._device).flip(axes)
        batch = normalise(batch, self._mean, self._std).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, self._half, enabled=self._half is not None):
            logits = self._network(batch)
        return logits.float().flip(axes)[:, 0].cpu().numpy()
