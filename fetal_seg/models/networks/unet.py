"""The plain U-Net of O. Ronneberger, P. Fischer and T. Brox, MICCAI 2015 (arXiv:1505.04597)."""

from torch import Tensor, cat, nn

from fetal_seg.config.registries import NETWORKS
from fetal_seg.config.types import Activation, Norm, Upsample
from fetal_seg.models.blocks import ContractingPath, PlainBlock, Upsampling, full_precision, pad_to_multiple


@NETWORKS.register("unet")
class UNet(nn.Module):
    """Double convolutions, max-pooling, up-convolutions, and concatenated skips; channels double at each level.

    Against the paper: convolutions are padded, so that the output has the input's size, and there
    is a normalisation layer, which later U-Nets have without exception (``norm=none`` takes it out).

    Args:
        depth: how often the image is halved; the paper has 4.
        width: channels at full size; the paper has 64.
        activation, norm, upsample: see ``blocks``; the paper has relu, none, transpose.
        dropout: probability that a channel is dropped at the lowest level, 0 to 1; the paper has 0.5.
    """

    def __init__(
        self,
        depth: int = 4,
        width: int = 16,
        activation: Activation = "relu",
        norm: Norm = "batch",
        upsample: Upsample = "transpose",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.depth = depth
        channels = [width * 2**level for level in range(depth + 1)]
        self.contracting = ContractingPath(PlainBlock, [1, *channels], activation, norm)
        self.dropout = nn.Dropout2d(dropout) if dropout else nn.Identity()
        self.up = nn.ModuleList(Upsampling(channels[i + 1], channels[i], upsample) for i in range(depth))
        self.expanding = nn.ModuleList(PlainBlock(2 * channels[i], channels[i], activation, norm) for i in range(depth))
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 1, h, w) to logits (n, 1, h, w)."""
        return self.decode(self.encode(x), *x.shape[-2:])

    def encode(self, x: Tensor) -> list[Tensor]:
        """The contracting path's levels of images (n, 1, h, w), the finest first."""
        levels: list[Tensor] = self.contracting(pad_to_multiple(x, 2**self.depth))
        return levels

    def decode(self, levels: list[Tensor], height: int, width: int) -> Tensor:
        """Logits (n, 1, height, width) of what `encode` gave."""
        *skips, x = levels
        x = self.dropout(x)
        for level in reversed(range(self.depth)):
            x = self.expanding[level](cat([skips[level], self.up[level](x)], dim=1))
        return full_precision(self.head, x)[..., :height, :width]
