"""What the commands take: types, ranges and defaults, checked all at once and before any heavy import.

The values that users see, with comments, are in ``conf/``; a test compares both.
"""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.data import FromRunConfig, Hc18Config, Source, SourceOrRun
from fetal_seg.config.model import EncoderDecoderConfig, Model
from fetal_seg.config.search import SearchSettings
from fetal_seg.config.tracking import LoggerConfig, TensorBoardConfig
from fetal_seg.config.training import AdamWConfig, BceDiceConfig, Loss, OneCycleConfig, Optim, Schedule, TrainerConfig
from fetal_seg.config.types import (
    STRICT,
    ChecklistName,
    Device,
    ExportFormat,
    ExportPrecision,
    GestationalAge,
    Natural,
    OneOrMore,
    PictureFormat,
    PixelSize,
    Positive,
    Precision,
    RuntimeName,
    Seed,
    ShardText,
    TestTimeAugmentation,
)


@dataclass(config=STRICT, kw_only=True)
class SweepConfig:
    """What ``train.py -m`` runs: values for keys, all combinations; or a sweep to go on with."""

    grid: dict[str, list[bool | int | float | str]] = field(default_factory=dict)
    resume: str | None = None


@dataclass(config=STRICT, kw_only=True)
class TrainConfig:
    """What ``train.py`` takes."""

    data: Source = field(default_factory=Hc18Config)
    augmentation: Augmentation = field(default_factory=Augmentation)
    model: Model = field(default_factory=EncoderDecoderConfig)
    optim: Optim = field(default_factory=AdamWConfig)
    scheduler: Schedule = field(default_factory=OneCycleConfig)
    loss: Loss = field(default_factory=BceDiceConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    logger: LoggerConfig = field(default_factory=lambda: LoggerConfig(tensorboard=TensorBoardConfig()))
    seed: Seed = 0
    resume: str | None = None
    ckpt_path: str | None = None
    evaluate: bool = True
    checkpoint: Literal["best", "last"] = "best"
    sweep: SweepConfig = field(default_factory=SweepConfig)


@dataclass(config=STRICT, kw_only=True)
class SearchConfig(TrainConfig):
    """What ``search.py`` takes: what ``train.py`` does, and what to search."""

    evaluate: bool = False  # trials are compared by val/dice
    search: SearchSettings = field(default_factory=SearchSettings)
    output: str | None = None


@dataclass(config=STRICT, kw_only=True)
class EvaluateConfig:
    """What ``evaluate.py`` takes."""

    ckpt: OneOrMore
    data: SourceOrRun = field(default_factory=FromRunConfig)
    output: str | None = None
    device: Device = "auto"
    tta: TestTimeAugmentation = "none"
    precision: Precision = "auto"
    runtime: RuntimeName = "auto"
    ensemble: bool = False
    calibrate: bool = False


@dataclass(config=STRICT, kw_only=True)
class PredictSettings:
    """How a prediction runs, whatever it finds."""

    resume: bool = False
    shard: ShardText | None = None
    page_rows: Positive = 1000
    contact_sheets: Natural = 10


@dataclass(config=STRICT, kw_only=True)
class PredictConfig:
    """What ``predict.py`` takes."""

    input: OneOrMore
    ckpt: OneOrMore = "pretrained"
    pixel_size_mm: PixelSize | None = None
    pixel_size_csv: str | None = None
    gestational_age_weeks: GestationalAge | None = None
    tta: TestTimeAugmentation = "none"
    precision: Precision = "auto"
    runtime: RuntimeName = "auto"
    every: Positive = 1
    reject: bool = True
    format: Literal["none", "hc18", "parquet"] | list[Literal["hc18", "parquet"]] = "none"
    dicom: Literal["seg", "sr"] | list[Literal["seg", "sr"]] = field(default_factory=list)
    output: str | None = None
    cache_dir: str | None = None
    overlays: bool = True
    picture_format: PictureFormat = "jpg"
    device: Device = "auto"
    predict: PredictSettings = field(default_factory=PredictSettings)


@dataclass(config=STRICT, kw_only=True)
class ReportConfig:
    """What ``report.py`` takes."""

    runs: list[str] = field(default_factory=list)
    checklist: ChecklistName | None = None
    predictions: list[str] = field(default_factory=list)
    title: str = "Comparison of runs"
    output: str | None = None
    format: Literal["none", "parquet"] = "none"
    page_rows: Positive = 1000


@dataclass(config=STRICT, kw_only=True)
class ExportConfig:
    """What ``export.py`` takes."""

    ckpt: str = "pretrained"
    format: ExportFormat = "onnx"
    precision: ExportPrecision = "f32"
    output: str | None = None
    data: SourceOrRun = field(default_factory=FromRunConfig)
    max_difference_percent: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


SCHEMAS: dict[str, type[Any]] = {
    "train": TrainConfig,
    "search": SearchConfig,
    "evaluate": EvaluateConfig,
    "predict": PredictConfig,
    "report": ReportConfig,
    "export": ExportConfig,
}
