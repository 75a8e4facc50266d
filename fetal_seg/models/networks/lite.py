"""An encoder of inverted bottlenecks that can start from ImageNet, and a narrow decoder: small and fast on a CPU."""

from typing import NamedTuple

from torch import Tensor, cat, nn
from torch.nn import functional as F

from fetal_seg.config.registries import NETWORKS
from fetal_seg.config.types import Activation, Norm
from fetal_seg.models.blocks import PlainBlock, Upsampling, conv_norm, full_precision, pad_to_multiple
from fetal_seg.models.ellipse_head import EllipseHead
from fetal_seg.models.imagenet import start_from_lite0

STEM = 32  # channels at half size


class Stage(NamedTuple):
    """A row of table 1 of EfficientNet (M. Tan and Q. V. Le, arXiv:1905.11946)."""

    expansion: int
    kernel: int
    stride: int
    channels: int
    blocks: int


# Lite0 is B0 without squeeze-and-excitation, with ReLU6. Its last stage, 320 channels, is a quarter of the weights and
# not needed for one class.
STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
)
LEVELS = ((0,), (1,), (2,), (3, 4), (5,))  # stages that work at 1/2, 1/4, ... 1/32 of the size


class InvertedBottleneck(nn.Module):
    """Pointwise expansion, depthwise convolution, pointwise projection, beside a shortcut where shapes allow it.

    Source: M. Sandler et al., MobileNetV2 (arXiv:1801.04381). Strides are centred, unlike TensorFlow's.
    """

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        middle = inputs * stage.expansion
        expand = [conv_norm(inputs, middle, "batch", size=1), nn.ReLU6(inplace=True)] if stage.expansion > 1 else []
        self.body = nn.Sequential(
            *expand,
            conv_norm(middle, middle, "batch", size=stage.kernel, groups=middle, stride=stride),
            nn.ReLU6(inplace=True),
            conv_norm(middle, stage.channels, "batch", size=1),
        )
        self.shortcut = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, stage.channels, h / stride, w / stride)."""
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


@NETWORKS.register("lite")
class Lite(nn.Module):
    """EfficientNet-Lite0 without its last stage, under a U-Net's decoder that ends at half size.

    Logits are made at half the image's size and interpolated: a head's boundary is smooth, and the
    finest level would take as long as all others together.

    Args:
        depth: how often the image is halved, 2 to 5.
        width: channels of the decoder at half size; each coarser level has twice as many, up to four times.
        activation, norm: of the decoder, see ``blocks``.
        dropout: probability that a channel is dropped before the decoder, 0 to 1.
        deep_supervision: in training, give logits of the three finest levels, the first at full size.
        ellipse: whether an ellipse is regressed beside the mask, see `EllipseHead`.
        weights: ``none``, or ``imagenet`` to start from; a package carries them.
    """

    def __init__(
        self,
        depth: int = 5,
        width: int = 16,
        activation: Activation = "relu",
        norm: Norm = "batch",
        dropout: float = 0.0,
        deep_supervision: bool = False,
        ellipse: bool = False,
        weights: str = "none",
    ) -> None:
        super().__init__()
        self.depth = depth
        channels = [STAGES[level[-1]].channels for level in LEVELS[:depth]]
        self.stem = nn.Sequential(conv_norm(1, STEM, "batch", stride=2), nn.ReLU6(inplace=True))
        self.encoder = nn.ModuleList(
            _level(level, inputs) for level, inputs in zip(LEVELS[:depth], [STEM, *channels], strict=False)
        )
        decoded = [width * min(2**level, 4) for level in range(depth - 1)]
        coarser = [*decoded[1:], channels[-1]]
        self.dropout = nn.Dropout2d(dropout) if dropout else nn.Identity()
        self.up = nn.ModuleList(
            Upsampling(inputs, outputs, "bilinear") for inputs, outputs in zip(coarser, decoded, strict=True)
        )
        self.decoder = nn.ModuleList(
            PlainBlock(skip + outputs, outputs, activation, norm)
            for skip, outputs in zip(channels[:-1], decoded, strict=True)
        )
        self.head = nn.Conv2d(decoded[0], 1, 1)
        self.coarse_heads = nn.ModuleList(nn.Conv2d(size, 1, 1) for size in decoded[1:3] if deep_supervision)
        self.ellipse = EllipseHead(channels[-1]) if ellipse else None
        if weights == "imagenet":
            start_from_lite0(self.stem, self.encoder)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Map images (n, 1, h, w) to logits (n, 1, h, w); with deep supervision in training to a list of them."""
        return self.decode(self.encode(x), *x.shape[-2:])

    def encode(self, x: Tensor) -> list[Tensor]:
        """The encoder's levels of images (n, 1, h, w), the finest first."""
        x = self.stem(pad_to_multiple(x, 2**self.depth))
        levels: list[Tensor] = []
        for level in self.encoder:
            x = level(x)
            levels.append(x)
        return levels

    def decode(self, levels: list[Tensor], height: int, width: int) -> Tensor | list[Tensor]:
        """Logits (n, 1, height, width) of what `encode` gave; with deep supervision in training a list of them."""
        *skips, coarsest = levels
        decoded = [self.dropout(coarsest)]  # the finest first
        for up, block, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            decoded.insert(0, block(cat([skip, up(decoded[0])], dim=1)))
        heads = [self.head, *self.coarse_heads] if self.training else [self.head]
        logits = [full_precision(head, level) for head, level in zip(heads, decoded, strict=False)]
        if self.ellipse is not None:
            logits[0] = logits[0] + self.ellipse(coarsest, *logits[0].shape[-2:])
        logits = [F.interpolate(half, scale_factor=2.0, mode="bilinear", align_corners=False) for half in logits]
        logits = [fine[..., : -(-height >> level), : -(-width >> level)] for level, fine in enumerate(logits)]
        return logits if len(logits) > 1 else logits[0]


def _level(stages: tuple[int, ...], inputs: int) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for stage in (STAGES[number] for number in stages):
        for number in range(stage.blocks):
            blocks.append(InvertedBottleneck(inputs, stage, 1 if number else stage.stride))
            inputs = stage.channels
    return nn.Sequential(*blocks)
