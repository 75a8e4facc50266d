"""The schemas of data sources, and how their images are cut into parts and shown to a network."""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.types import STRICT, ByName, GroupConfig, Natural, Positive, Probability, Seed, Size, Unlabelled


@dataclass(config=STRICT, kw_only=True)
class DataConfig(GroupConfig):
    """What all data sources have in common.

    Attributes:
        root: folder of the data.
        height, width: the network's size, px.
        folds, fold: with ``split=kfold``, how many, and which one validates, from 0.
        batch_size: images a step of the optimizer takes, on each device.
        extra: a folder of further images with masks, as ``data=folder`` has them; they train, and never validate. What
            ``data.unlabelled`` says of that source holds for them too.
    """

    root: str | None = None
    cache_dir: str | None = None
    height: Size = 192
    width: Size = 288
    split: Literal["examination", "inner", "random", "kfold"] = "examination"
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    folds: Annotated[int, Field(ge=2)] = 5
    fold: Natural = 0
    split_seed: Seed | None = None
    split_file: str | None = None
    limit: Positive | None = None
    negatives: str | None = None
    extra: str | None = None
    balance: Probability = 1.0
    batch_size: Positive = 4
    workers: Natural | None = None


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
    """The user's own images and masks.

    Attributes:
        unlabelled: what images without a mask are: a mistake, left out, or images that show no head.
    """

    name: Literal["folder"] = "folder"
    root: str = "???"
    unlabelled: Unlabelled = "refuse"


@dataclass(config=STRICT, kw_only=True)
class FromRunConfig(GroupConfig):
    """The data that a checkpoint was trained with, where a key is left null; for ``evaluate.py`` alone."""

    name: Literal["from_run"] = "from_run"
    root: str | None = None
    cache_dir: str | None = None
    part: Literal["train", "val", "all"] | None = None
    limit: Positive | None = None
    negatives: str | None = None


@dataclass(config=STRICT, kw_only=True)
class CustomDataConfig(DataConfig):
    """A registered source without a schema; ``keys`` are those of its YAML file alone."""

    keys: dict[str, Any] = field(default_factory=dict)


Source = Annotated[Hc18Config | PhantomConfig | FolderConfig | CustomDataConfig, ByName()]
SourceOrRun = Annotated[Hc18Config | PhantomConfig | FolderConfig | FromRunConfig | CustomDataConfig, ByName()]
