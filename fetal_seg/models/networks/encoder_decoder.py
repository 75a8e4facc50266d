"""The project's own encoder-decoder."""

from torch import Tensor, cat, nn

from fetal_seg.config.registries import NETWORKS
from fetal_seg.config.types import Activation, Block, Norm, Skip, Upsample
from fetal_seg.models.blocks import BLOCKS, ContractingPath, Upsampling, full_precision, pad_to_multiple

WIDEST = 8  # channels double from level to level up to this many times the width: depth is cheap from there on


@NETWORKS.register("encoder_decoder")
class EncoderDecoder(nn.Module):
    """An encoder-decoder that spends its weights on depth rather than on width.

    Level i works at 1/2^i of the image's size with ``width * min(2^i, 8)`` channels, so that a
    network deep enough to see the whole head has no more weights than a shallow U-Net.

    Args:
        depth: how often the image is halved, at least 1.
        width: channels at full size.
        activation, norm, block, upsample: see ``blocks``.
        skip: what a decoder level does with its encoder level: nothing, add it, or concatenate it.
        dropout: probability that a channel is dropped after each decoder block, 0 to 1.
        deep_supervision: in training, give logits of the three finest levels.
    """

    def __init__(
        self,
        depth: int = 5,
        width: int = 16,
        activation: Activation = "relu",
        norm: Norm = "batch",
        block: Block = "plain",
        skip: Skip = "concat",
        upsample: Upsample = "bilinear",
        dropout: float = 0.0,
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        self.depth, self.skip = depth, skip
        channels = [width * min(2**level, WIDEST) for level in range(depth + 1)]
        make = BLOCKS[block]
        self.encoder = ContractingPath(make, channels, activation, norm)
        self.up = nn.ModuleList(Upsampling(channels[i + 1], channels[i], upsample) for i in range(depth))
        self.decoder = nn.ModuleList(
            nn.Sequential(
                make(2 * channels[i] if skip == "concat" else channels[i], channels[i], activation, norm),
                nn.Dropout2d(dropout) if dropout else nn.Identity(),
            )
            for i in range(depth)
        )
        heads = min(3, depth) if deep_supervision else 1
        self.heads = nn.ModuleList(nn.Conv2d(channels[i], 1, 1) for i in range(heads))

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Map images (n, 1, h, w) to logits (n, 1, h, w); with deep supervision in training to a list of them."""
        height, width = x.shape[-2:]
        *skips, x = self.encoder(pad_to_multiple(x, 2**self.depth))
        logits: list[Tensor] = []
        for level in reversed(range(self.depth)):
            x = self.decoder[level](self._join(self.up[level](x), skips[level]))
            if level < len(self.heads) and (self.training or level == 0):
                fine = full_precision(self.heads[level], x)
                logits.insert(0, fine[..., : -(-height >> level), : -(-width >> level)])
        return logits if len(logits) > 1 else logits[0]

    def _join(self, x: Tensor, skip: Tensor) -> Tensor:
        if self.skip == "concat":
            return cat([x, skip], dim=1)
        return x + skip if self.skip == "add" else x
