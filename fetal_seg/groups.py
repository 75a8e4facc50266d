"""The schemas of data and networks in ``conf/``: a dataclass for each choice, chosen by its ``name``.

Those of how a network is trained are in ``recipe``.
"""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", strict=True)

Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=32, le=4096)]
Part = Annotated[float, Field(ge=0, lt=1)]
Factor = Annotated[float, Field(ge=1, le=4)]
Probability = Annotated[float, Field(ge=0, le=1)]
Depth = Annotated[int, Field(ge=1, le=8)]
Width = Annotated[int, Field(ge=1, le=256)]
Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "prelu"]
Norm = Literal["batch", "group", "instance", "none"]
Upsample = Literal["transpose", "bilinear", "nearest"]


@dataclass(config=STRICT, kw_only=True)
class AugmentationConfig:
    """See ``fetal_seg.data.augment.Augmentation``."""

    enabled: bool = True
    flip: bool = True
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 30.0
    scale: Factor = 1.25
    zoom_out: Factor = 1.0
    aspect: Factor = 1.0
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.08
    gamma: Factor = 1.5
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.2
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    blur: Annotated[float, Field(ge=0, le=10)] = 0.0
    gain: Probability = 0.0
    shadow: Probability = 0.0
    speckle: Probability = 0.0
    marks: Probability = 0.0
    sector: Probability = 0.0
    negatives: Probability = 0.0


@dataclass(config=STRICT, kw_only=True)
class DataConfig:
    """What all data sources have in common."""

    name: str
    root: str | None = None
    cache_dir: str | None = None
    height: Size = 192
    width: Size = 288
    split: Literal["examination", "inner", "random", "kfold"] = "examination"
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    folds: Annotated[int, Field(ge=2)] = 5
    fold: Natural = 0
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    split_file: str | None = None
    limit: Positive | None = None
    batch_size: Positive = 4
    workers: Natural | None = None
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


@dataclass(config=STRICT, kw_only=True)
class Hc18Config(DataConfig):
    """HC18, from archives, folders or Zenodo."""

    name: Literal["hc18"] = "hc18"
    root: str = "data/hc18"
    download: bool = True


@dataclass(config=STRICT, kw_only=True)
class PhantomConfig(DataConfig):
    """Simulated images."""

    name: Literal["phantom"] = "phantom"
    images: Annotated[int, Field(ge=5)] = 60
    test_images: Natural = 12
    phantom_seed: Natural = 0


@dataclass(config=STRICT, kw_only=True)
class FolderConfig(DataConfig):
    """The user's own images and masks."""

    name: Literal["folder"] = "folder"
    root: str = "???"


@dataclass(config=STRICT, kw_only=True)
class FromRunConfig:
    """The data that a checkpoint was trained with, where a key is left null."""

    name: Literal["from_run"] = "from_run"
    root: str | None = None
    cache_dir: str | None = None
    part: Literal["train", "val", "all"] | None = None
    limit: Positive | None = None


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
    block: Literal["plain", "residual", "depthwise"] = "plain"
    skip: Literal["none", "add", "concat"] = "concat"
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
Source = Hc18Config | PhantomConfig | FolderConfig
