"""Grey values as networks take them."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StrictFloat, StrictInt
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import PlainData
from fetal_seg.geometry.letterbox import Letterbox

if TYPE_CHECKING:
    from torch import Tensor

GREY_MEAN, GREY_STD = 0.15, 0.2  # about HC18's, of grey values 0 to 1


@dataclass(frozen=True)
class Preprocessing(PlainData):
    """What is done to an image before a network sees it.

    Attributes:
        height, width: the network's size, px.
        mean, std: of the grey values, 0 to 1, that become 0 and 1.
    """

    height: Annotated[StrictInt, Field(gt=0)]
    width: Annotated[StrictInt, Field(gt=0)]
    mean: StrictFloat
    std: Annotated[StrictFloat, Field(gt=0)]

    @property
    def letterbox(self) -> Letterbox:
        """How images of any size come to the network's."""
        return Letterbox(self.height, self.width)


def normalise(batch: "Tensor", mean: float = GREY_MEAN, std: float = GREY_STD) -> "Tensor":
    """Grey values 0 to 255, of any shape, as the network takes them: float32, shifted and scaled."""
    return batch.float().mul_(1 / (255 * std)).sub_(mean / std)
