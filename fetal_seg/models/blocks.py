"""The parts that networks are made of. Tensors are (n, c, h, w) throughout."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fetal_seg.config.types import Activation, Norm, Upsample

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.01, inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "gelu": nn.GELU,
    "silu": lambda: nn.SiLU(inplace=True),
    "mish": lambda: nn.Mish(inplace=True),
    "prelu": nn.PReLU,
}


def make_norm(norm: Norm, channels: int) -> nn.Module:
    """A normalisation layer; groups have 8 channels where the number of channels allows it."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "group":
        return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)
    if norm == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return nn.Identity()


def conv_norm(
    inputs: int, outputs: int, norm: Norm, *, size: int = 3, groups: int = 1, stride: int = 1
) -> nn.Sequential:
    """A convolution that divides h and w by `stride`, then its normalisation, which makes a bias needless."""
    if groups == inputs == outputs:
        convolution: nn.Conv2d = DepthwiseConv(inputs, size, stride, bias=norm == "none")
    else:
        convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=norm == "none")
    return nn.Sequential(convolution, make_norm(norm, outputs))


class DepthwiseConv(nn.Conv2d):
    """A convolution of each channel by itself, trained in float32 on a CPU whatever the precision of the rest.

    There, with bfloat16, PyTorch needs 5 to 30 times as long for the gradients (strides of 2, kernels of 5), and a
    network of such convolutions twice as long for a step.
    """

    def __init__(self, channels: int, size: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__(channels, channels, size, stride, size // 2, groups=channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to (n, channels, h / stride, w / stride)."""
        if x.device.type != "cpu" or not self.training:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float()).to(x.dtype)


def fold_norms(network: nn.Module) -> nn.Module:
    """Put what batch normalisations do in evaluation into the convolutions before them, in place; the same function.

    Of `conv_norm` and other sequences that hold both one after the other; a tenth of the time of a prediction.
    """
    for part in network.children():
        if isinstance(part, nn.Sequential) and len(part) > 1:
            for index, (first, second) in enumerate(pairwise(list(part))):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    part[index], part[index + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
        fold_norms(part)
    return network


class PlainBlock(nn.Sequential):
    """Two 3x3 convolutions, each with normalisation and activation: the U-Net's."""

    def __init__(self, inputs: int, outputs: int, activation: Activation, norm: Norm) -> None:
        super().__init__(
            conv_norm(inputs, outputs, norm),
            ACTIVATIONS[activation](),
            conv_norm(outputs, outputs, norm),
            ACTIVATIONS[activation](),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., arXiv:1512.03385)."""

    def __init__(self, inputs: int, outputs: int, activation: Activation, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(inputs, outputs, norm), ACTIVATIONS[activation](), conv_norm(outputs, outputs, norm)
        )
        self.shortcut = nn.Identity() if inputs == outputs else conv_norm(inputs, outputs, norm, size=1)
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h, w)."""
        y: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return y


class DepthwiseBlock(nn.Module):
    """Depthwise 5x5, then a pointwise expansion by two and back, beside a shortcut.

    The order of ConvNeXt (arXiv:2201.03545), with about a sixth of a plain block's weights.
    """

    def __init__(self, inputs: int, outputs: int, activation: Activation, norm: Norm) -> None:
        super().__init__()
        self.entry = nn.Identity() if inputs == outputs else conv_norm(inputs, outputs, norm, size=1)
        self.body = nn.Sequential(
            conv_norm(outputs, outputs, norm, size=5, groups=outputs),
            conv_norm(outputs, 2 * outputs, norm, size=1),
            ACTIVATIONS[activation](),
            conv_norm(2 * outputs, outputs, norm, size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h, w)."""
        x = self.entry(x)
        y: Tensor = x + self.body(x)
        return y


BLOCKS: dict[str, Callable[[int, int, Activation, Norm], nn.Module]] = {
    "plain": PlainBlock,
    "residual": ResidualBlock,
    "depthwise": DepthwiseBlock,
}


class ContractingPath(nn.ModuleList):
    """Blocks of which each works at half the size of the one before.

    Args:
        channels: of the images, then of each block.
    """

    def __init__(
        self,
        block: Callable[[int, int, Activation, Norm], nn.Module],
        channels: Sequence[int],
        activation: Activation,
        norm: Norm,
    ) -> None:
        super().__init__(block(inputs, outputs, activation, norm) for inputs, outputs in pairwise(channels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """What block i makes of images (n, channels[0], h, w): (n, channels[i + 1], h / 2^i, w / 2^i)."""
        levels: list[Tensor] = []
        for block in self:
            x = block(F.max_pool2d(x, 2) if levels else x)
            levels.append(x)
        return levels


class Upsampling(nn.Module):
    """Double h and w and change the number of channels."""

    def __init__(self, inputs: int, outputs: int, upsample: Upsample) -> None:
        super().__init__()
        self.upsample = upsample
        if upsample == "transpose":
            self.change: nn.Module = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        else:
            self.change = nn.Conv2d(inputs, outputs, 1)  # before interpolating: a quarter of the work

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, 2h, 2w)."""
        x = self.change(x)
        if self.upsample == "transpose":
            return x
        smooth = {"align_corners": False} if self.upsample == "bilinear" else {}
        return F.interpolate(x, scale_factor=2.0, mode=self.upsample, **smooth)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Extend (n, c, h, w) below and at the right by its border until h and w are multiples of `multiple`.

    Crop the result with ``[..., :h, :w]`` to undo it.
    """
    height, width = x.shape[-2:]
    return F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def full_precision(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a last layer outside mixed precision: 8 bits of mantissa would round the boundary."""
    with torch.autocast(x.device.type, enabled=False):
        y: Tensor = layer(x.float())
    return y
