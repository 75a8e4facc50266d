"""The schemas of networks, and what a training starts from."""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.choices import Choice
from fetal_seg.config.types import (
    STRICT,
    Activation,
    Block,
    ByName,
    Depth,
    Fraction,
    GroupConfig,
    Norm,
    Skip,
    Stem,
    Upsample,
    Weights,
    Width,
)


@dataclass(config=STRICT, kw_only=True)
class ModelConfig(GroupConfig):
    """What all networks have in common: how they are trained, not what they are.

    Attributes:
        init: a checkpoint whose network and weights are trained further; None for a new network.
        compile: whether the network is compiled by ``torch.compile``.
    """

    init: str | None = None
    compile: bool = False

    @property
    def choice(self) -> Choice:
        """The network itself: its name and the keys that it is built from."""
        keys = super().choice.keys
        return Choice(self.name, {key: value for key, value in keys.items() if key not in ("init", "compile")})


@dataclass(config=STRICT, kw_only=True)
class EncoderDecoderConfig(ModelConfig):
    """See ``fetal_seg.models.networks.encoder_decoder``."""

    name: Literal["encoder_decoder"] = "encoder_decoder"
    depth: Depth = 6
    width: Width = 16
    stem: Stem = "half"
    activation: Activation = "relu"
    norm: Norm = "batch"
    block: Block = "plain"
    skip: Skip = "concat"
    upsample: Upsample = "bilinear"
    dropout: Fraction = 0.0
    deep_supervision: bool = False


@dataclass(config=STRICT, kw_only=True)
class UnetConfig(ModelConfig):
    """See ``fetal_seg.models.networks.unet``."""

    name: Literal["unet"] = "unet"
    depth: Depth = 4
    width: Width = 16
    activation: Activation = "relu"
    norm: Norm = "batch"
    upsample: Upsample = "transpose"
    dropout: Fraction = 0.0


@dataclass(config=STRICT, kw_only=True)
class SmpConfig(ModelConfig):
    """See ``fetal_seg.models.networks.smp``."""

    name: Literal["smp"] = "smp"
    architecture: str = "unet"
    encoder: str = "mobilenet_v2"
    depth: Annotated[int, Field(ge=3, le=5)] = 5
    width: Width = 16
    weights: Weights = "none"


@dataclass(config=STRICT, kw_only=True)
class LiteConfig(ModelConfig):
    """See ``fetal_seg.models.networks.lite``."""

    name: Literal["lite"] = "lite"
    depth: Annotated[int, Field(ge=2, le=5)] = 5
    width: Width = 16
    activation: Activation = "relu"
    norm: Norm = "batch"
    dropout: Fraction = 0.0
    deep_supervision: bool = False
    ellipse: bool = False
    weights: Weights = "none"


@dataclass(config=STRICT, kw_only=True)
class CustomModelConfig(ModelConfig):
    """A registered network without a schema; ``keys`` are those of its YAML file."""

    keys: dict[str, Any] = field(default_factory=dict)


Model = Annotated[EncoderDecoderConfig | UnetConfig | SmpConfig | LiteConfig | CustomModelConfig, ByName()]
