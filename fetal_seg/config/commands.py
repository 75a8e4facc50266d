"""What the commands take: types, ranges and combinations, checked all at once and before any heavy import.

The values themselves, with comments, are in ``conf/``; the schemas of its groups are in ``groups`` and
``recipe``.
"""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.training import Precision, TrainerConfig
from fetal_seg.config.types import STRICT, GestationalAge, Natural, Positive

Names = str | Annotated[list[str], Field(min_length=1)]


@dataclass(config=STRICT, kw_only=True)
class SweepConfig:
    """What ``train.py -m`` runs: values for keys, all combinations; or a sweep to go on with."""

    grid: dict[str, list[bool | int | float | str]] = field(default_factory=dict)
    resume: str | None = None


@dataclass(config=STRICT, kw_only=True)
class TrainConfig:
    """What ``train.py`` takes."""

    data: Any
    model: Any
    optim: Any
    scheduler: Any
    loss: Any
    trainer: TrainerConfig
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    ckpt_path: str | None = None
    evaluate: bool = True
    checkpoint: Literal["best", "last"] = "best"
    sweep: SweepConfig = field(default_factory=SweepConfig)


@dataclass(config=STRICT, kw_only=True)
class RangeConfig:
    """Numbers from low to high that a search may take; whole ones where both ends are."""

    low: int | float
    high: int | float
    log: bool = False


@dataclass(config=STRICT, kw_only=True)
class SearchSettings:
    """What ``search.py`` looks for, and how long."""

    space: dict[str, list[bool | int | float | str] | RangeConfig] = field(default_factory=dict)
    trials: Positive = 50
    workers: Positive = 1
    pruner: Literal["median", "hyperband", "none"] = "median"
    startup_trials: Natural = 6


@dataclass(config=STRICT, kw_only=True)
class SearchConfig(TrainConfig):
    """What ``search.py`` takes: what ``train.py`` does, and what to search."""

    search: SearchSettings = field(default_factory=SearchSettings)
    output: str | None = None


@dataclass(config=STRICT, kw_only=True)
class EvaluateConfig:
    """What ``evaluate.py`` takes."""

    ckpt: Names
    data: Any
    output: str | None = None
    device: Literal["auto", "cpu", "gpu"] = "auto"
    tta: Literal["none", "flips"] = "none"
    precision: Precision = "auto"
    ensemble: bool = False
    calibrate: bool = False


@dataclass(config=STRICT, kw_only=True)
class PredictSettings:
    """How a prediction runs, whatever it finds."""

    resume: bool = False


@dataclass(config=STRICT, kw_only=True)
class PredictConfig:
    """What ``predict.py`` takes."""

    ckpt: Names
    input: Names
    pixel_size_mm: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None
    pixel_size_csv: str | None = None
    gestational_age_weeks: GestationalAge | None = None
    tta: Literal["none", "flips"] = "none"
    precision: Precision = "auto"
    every: Positive = 1
    format: Literal["none", "hc18"] = "none"
    dicom: Literal["seg", "sr"] | list[Literal["seg", "sr"]] = field(default_factory=list)
    output: str | None = None
    cache_dir: str | None = None
    overlays: bool = True
    device: Literal["auto", "cpu", "gpu"] = "auto"
    predict: PredictSettings = field(default_factory=PredictSettings)


@dataclass(config=STRICT, kw_only=True)
class ReportConfig:
    """What ``report.py`` takes."""

    runs: Annotated[list[str], Field(min_length=1)]
    title: str = "Comparison of runs"
    output: str | None = None
