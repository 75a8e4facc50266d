"""The schemas of networks."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.types import STRICT, Activation, Block, Depth, Norm, Part, Skip, Upsample, Width


@dataclass(config=STRICT, kw_only=True)
class ModelConfig:
    """What all networks have in common: how they are trained, not what they are."""

    name: str
    init: str | None = None
    compile: bool = False


@dataclass(config=STRICT, kw_only=True)
class EncoderDecoderConfig(ModelConfig):
    """See ``fetal_seg.models.encoder_decoder``."""

    name: Literal["encoder_decoder"] = "encoder_decoder"
    depth: Depth = 5
    width: Width = 16
    activation: Activation = "relu"
    norm: Norm = "batch"
    block: Block = "plain"
    skip: Skip = "concat"
    upsample: Upsample = "bilinear"
    dropout: Part = 0.0
    deep_supervision: bool = False


@dataclass(config=STRICT, kw_only=True)
class UnetConfig(ModelConfig):
    """See ``fetal_seg.models.unet``."""

    name: Literal["unet"] = "unet"
    depth: Depth = 4
    width: Width = 16
    activation: Activation = "relu"
    norm: Norm = "batch"
    upsample: Upsample = "transpose"
    dropout: Part = 0.0


@dataclass(config=STRICT, kw_only=True)
class SmpConfig(ModelConfig):
    """See ``fetal_seg.models.smp``."""

    name: Literal["smp"] = "smp"
    architecture: str = "unet"
    encoder: str = "mobilenet_v2"
    depth: Annotated[int, Field(ge=3, le=5)] = 5
    width: Width = 16
    weights: Literal["none", "imagenet"] = "none"


@dataclass(config=STRICT, kw_only=True)
class LiteConfig(ModelConfig):
    """See ``fetal_seg.models.lite``."""

    name: Literal["lite"] = "lite"
    depth: Annotated[int, Field(ge=2, le=5)] = 5
    width: Width = 16
    activation: Activation = "relu"
    norm: Norm = "batch"
    dropout: Part = 0.0
    weights: Literal["none", "imagenet"] = "none"


Model = EncoderDecoderConfig | UnetConfig | SmpConfig | LiteConfig
