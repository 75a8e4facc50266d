"""The schemas of data sources."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.types import STRICT, Factor, Natural, Positive, Probability, Size


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


Source = Hc18Config | PhantomConfig | FolderConfig
