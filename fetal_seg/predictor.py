"""An image in; the head's mask and ellipse out, at the image's own size."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fetal_seg.checkpoint import Checkpoint, Description, read_checkpoint
from fetal_seg.data.preprocess import Letterbox
from fetal_seg.ellipse import Ellipse
from fetal_seg.errors import InputError
from fetal_seg.imageio import Grey
from fetal_seg.measurement import largest_component, measure_head

Item = TypeVar("Item")
Read = TypeVar("Read")


@dataclass(frozen=True)
class Prediction:
    """What is found in one image.

    Attributes:
        mask: (height, width) uint8 at the image's own size, 1 in the head: the largest region.
        ellipse: the head's outline in pixels of the image; None where there is no head.
    """

    mask: NDArray[np.uint8]
    ellipse: Ellipse | None


class Predictor:
    """A trained network with its preprocessing.

    Args:
        network: maps (n, 1, h, w) to logits (n, 1, h, w).
        preprocessing: height, width, mean and std, as a checkpoint has them.
        device: where the network runs.
    """

    def __init__(self, network: nn.Module, preprocessing: Description, device: torch.device) -> None:
        self.letterbox = Letterbox(preprocessing["height"], preprocessing["width"])
        self._mean, self._std = preprocessing["mean"], preprocessing["std"]
        self._device = device
        self._network = network.to(device).to(memory_format=torch.channels_last).eval()

    @classmethod
    def load(cls, checkpoint: Path | Checkpoint, device: str = "auto") -> "Predictor":
        """Build the predictor that a checkpoint describes; `device` is auto, cpu or gpu.

        Raises:
            InputError: the checkpoint cannot be used, or there is no such device.
        """
        if isinstance(checkpoint, Path):
            checkpoint = read_checkpoint(checkpoint)
        return cls(checkpoint.build_network(), checkpoint.description["preprocessing"], choose_device(device))

    def predict(self, images: Sequence[Grey]) -> list[Prediction]:
        """Segment images (height, width), 0 to 255, of any sizes."""
        framed = np.stack([self.letterbox.apply(image) for image in images])
        logits = self._logits(normalise(torch.from_numpy(framed)[:, None], self._mean, self._std))
        return [self._measure(found, image) for found, image in zip(logits, images, strict=True)]

    @torch.inference_mode()
    def _logits(self, batch: Tensor) -> NDArray[np.float32]:
        batch = batch.to(self._device, memory_format=torch.channels_last)
        return self._network(batch)[:, 0].float().cpu().numpy()

    def _measure(self, logits: NDArray[np.float32], image: Grey) -> Prediction:
        height, width = image.shape
        if image.min() == image.max():  # whatever the network makes of it, nothing is shown
            return Prediction(np.zeros_like(image), None)
        ellipse = measure_head(logits, 0.0, self.letterbox.to_native(height, width))
        mask = (self.letterbox.undo(logits, height, width) > 0).astype(np.uint8)
        return Prediction(largest_component(mask), ellipse)


def read_ahead(
    items: Sequence[Item], read: Callable[[Item], Read], size: int = 8
) -> Iterator[tuple[Sequence[Item], list[Read]]]:
    """Items in batches of `size`, with what `read` makes of each; the next batch is read while one is worked on."""
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor() as pool:
        ahead = [pool.submit(read, item) for batch in batches[:1] for item in batch]
        for number, batch in enumerate(batches):
            ready = [future.result() for future in ahead]
            ahead = [pool.submit(read, item) for following in batches[number + 1 :][:1] for item in following]
            yield batch, ready


def normalise(batch: Tensor, mean: float, std: float) -> Tensor:
    """Grey values 0 to 255, of any shape, as the network takes them: float32, shifted and scaled."""
    return batch.float().mul_(1 / (255 * std)).sub_(mean / std)


def choose_device(device: str) -> torch.device:
    """The device that ``auto``, ``cpu`` or ``gpu`` means here.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    if device == "gpu" and not torch.cuda.is_available():
        raise InputError("gpu is asked for, but PyTorch finds no GPU here; take auto or cpu as device or accelerator")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
