"""The schemas of how a network is trained: optimizers, schedules and losses of ``conf/``; see ``groups``."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.types import STRICT, Natural, Part, Positive

Rate = Annotated[float, Field(gt=0, le=10)]
Multiple = Annotated[float, Field(gt=0, le=1000)]
Decay = Annotated[float, Field(ge=0, le=1)]


@dataclass(config=STRICT, kw_only=True)
class AdamConfig:
    """torch.optim.Adam and AdamW."""

    name: Literal["adam", "adamw"]
    lr: Rate = 1e-3
    lr_factor: Multiple = 1.0
    weight_decay: Decay = 0.0


@dataclass(config=STRICT, kw_only=True)
class MomentumConfig:
    """torch.optim.SGD (with Nesterov momentum) and RMSprop."""

    name: Literal["sgd", "rmsprop"]
    lr: Rate = 1e-2
    lr_factor: Multiple = 1.0
    weight_decay: Decay = 0.0
    momentum: Part = 0.9


@dataclass(config=STRICT, kw_only=True)
class OneCycleConfig:
    """Up to the optimizer's rate over a part of the steps, then down to nothing along a cosine."""

    name: Literal["onecycle"] = "onecycle"
    warmup: Part = 0.2


@dataclass(config=STRICT, kw_only=True)
class CosineConfig:
    """Down to nothing along a cosine."""

    name: Literal["cosine"] = "cosine"


@dataclass(config=STRICT, kw_only=True)
class PlateauConfig:
    """Multiply by a factor when the validation loss has not fallen for some epochs."""

    name: Literal["plateau"] = "plateau"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.3
    patience: Natural = 5


@dataclass(config=STRICT, kw_only=True)
class NoSchedule:
    """A constant learning rate."""

    name: Literal["none"] = "none"


@dataclass(config=STRICT, kw_only=True)
class BceDiceConfig:
    """Binary cross-entropy plus Dice."""

    name: Literal["bce_dice"] = "bce_dice"
    dice_weight: Annotated[float, Field(ge=0)] = 1.0


@dataclass(config=STRICT, kw_only=True)
class SimpleLossConfig:
    """Losses without keys."""

    name: Literal["dice", "bce"]


@dataclass(config=STRICT, kw_only=True)
class FocalConfig:
    """Focal loss."""

    name: Literal["focal"] = "focal"
    gamma: Annotated[float, Field(ge=0, le=10)] = 2.0


@dataclass(config=STRICT, kw_only=True)
class BoundaryConfig:
    """BCE plus Dice, with the boundary weighted."""

    name: Literal["boundary"] = "boundary"
    radius: Annotated[int, Field(ge=1, le=32)] = 4
    boundary_weight: Annotated[float, Field(ge=0)] = 1.0


@dataclass(config=STRICT, kw_only=True)
class CircumferenceConfig:
    """BCE plus Dice, and the error of the circumference."""

    name: Literal["circumference"] = "circumference"
    circumference_weight: Annotated[float, Field(ge=0)] = 1.0


Optim = AdamConfig | MomentumConfig
Scheduler = OneCycleConfig | CosineConfig | PlateauConfig | NoSchedule
Loss = BceDiceConfig | SimpleLossConfig | FocalConfig | BoundaryConfig | CircumferenceConfig


Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]


@dataclass(config=STRICT, kw_only=True)
class TrainerConfig:
    """How long, on what, and how: most keys are the Lightning trainer's."""

    max_epochs: Positive = 50
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: Positive = 1
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Precision = "auto"
    gradient_clip_val: Annotated[float, Field(ge=0)] = 0.0
    accumulate_grad_batches: Positive = 1
    ema_decay: Part = 0.0
    early_stopping_patience: Natural = 0
    progress_bar: bool = True
    log_images: Natural = 4
    threads: Positive | None = None
