"""The project's own encoder-decoder."""

import torch
from torch import Tensor, cat, nn
from torch.nn import functional as F

from fetal_seg.config.registries import NETWORKS
from fetal_seg.config.types import Activation, Block, Norm, Skip, Stem, Upsample
from fetal_seg.models.blocks import BLOCKS, ContractingPath, Upsampling, full_precision, pad_to_multiple

WIDEST = 8  # channels double from level to level up to this many times the width: depth is cheap from there on


@NETWORKS.register("encoder_decoder")
class EncoderDecoder(nn.Module):
    """An encoder-decoder that spends its weights on depth rather than on width, and no time on full size.

    Its finest level works behind a stem: at half the image's size, where a head's boundary, which is smooth, is as
    sharp once the logits are interpolated; or at full size, which takes 2.5 times as long. Level i from there has
    1/2^i of its size and ``width * min(2^i, 8)`` channels, so that a network deep enough to see the whole head has no
    more weights than a shallow U-Net.

    Args:
        depth: how often the image is halved, the stem's halving included, at least 1.
        width: channels of the finest level.
        stem: ``half``: each 2x2 pixels become four channels (W. Shi et al., arXiv:1609.05158, the inverse of its
            sub-pixel shuffle), of which the first block learns what to keep; ``full``: the image as it is.
        activation, norm, block, upsample: see ``blocks``.
        skip: what a decoder level does with its encoder level: nothing, add it, or concatenate it.
        dropout: probability that a channel is dropped after each decoder block, 0 to 1.
        deep_supervision: in training, give logits of the three finest levels, the first at full size.
    """

    def __init__(
        self,
        depth: int = 6,
        width: int = 16,
        stem: Stem = "half",
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
        self.shrink = 2 if stem == "half" else 1  # from the image to the finest level
        levels = depth if stem == "half" else depth + 1
        channels = [width * min(2**level, WIDEST) for level in range(levels)]
        make = BLOCKS[block]
        self.encoder = ContractingPath(make, [self.shrink**2, *channels], activation, norm)
        self.up = nn.ModuleList(Upsampling(channels[i + 1], channels[i], upsample) for i in range(levels - 1))
        self.decoder = nn.ModuleList(
            nn.Sequential(
                make(2 * channels[i] if skip == "concat" else channels[i], channels[i], activation, norm),
                nn.Dropout2d(dropout) if dropout else nn.Identity(),
            )
            for i in range(levels - 1)
        )
        heads = min(3, max(levels - 1, 1)) if deep_supervision else 1
        self.heads = nn.ModuleList(nn.Conv2d(channels[i], 1, 1) for i in range(heads))

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Map images (n, 1, h, w) to logits (n, 1, h, w); with deep supervision in training to a list of them."""
        return self.decode(self.encode(x), *x.shape[-2:])

    def encode(self, x: Tensor) -> list[Tensor]:
        """The encoder's levels of images (n, 1, h, w), the finest first."""
        x = pad_to_multiple(x, 2**self.depth)
        if self.shrink > 1:
            x = F.pixel_unshuffle(x, self.shrink).contiguous(memory_format=torch.channels_last)
        encoded: list[Tensor] = self.encoder(x)
        return encoded

    def decode(self, encoded: list[Tensor], height: int, width: int) -> Tensor | list[Tensor]:
        """Logits (n, 1, height, width) of what `encode` gave; with deep supervision in training a list of them."""
        *skips, x = encoded
        levels = [x]  # the finest first
        for up, block, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            levels.insert(0, block(self._join(up(levels[0]), skip)))
        heads = self.heads if self.training else self.heads[:1]
        logits = [full_precision(head, level) for head, level in zip(heads, levels, strict=False)]
        if self.shrink > 1:
            logits = [F.interpolate(coarse, scale_factor=2.0, mode="bilinear") for coarse in logits]
        logits = [fine[..., : -(-height >> level), : -(-width >> level)] for level, fine in enumerate(logits)]
        return logits if len(logits) > 1 else logits[0]

    def _join(self, x: Tensor, skip: Tensor) -> Tensor:
        if self.skip == "concat":
            return cat([x, skip], dim=1)
        return x + skip if self.skip == "add" else x
