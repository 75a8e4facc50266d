"""Grey values as networks take them."""

from torch import Tensor

GREY_MEAN, GREY_STD = 0.15, 0.2  # about HC18's, of grey values 0 to 1


def normalise(batch: Tensor, mean: float, std: float) -> Tensor:
    """Grey values 0 to 255, of any shape, as the network takes them: float32, shifted and scaled."""
    return batch.float().mul_(1 / (255 * std)).sub_(mean / std)
