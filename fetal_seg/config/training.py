"""The schemas of how a network is trained: optimizers, schedules, losses and the trainer."""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.types import STRICT, ByName, Device, Fraction, GroupConfig, Natural, Positive, Precision, Weight

Batches = Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=10)]


@dataclass(config=STRICT, kw_only=True)
class OptimConfig(GroupConfig):
    """What all optimizers have in common.

    Attributes:
        lr: learning rate, the highest that a schedule reaches.
        lr_factor: multiplies `lr`, so that a sweep over it means the same for every optimizer.
        weight_decay: of the weights of convolutions; norms and biases have none.
    """

    lr: Rate = 1e-3
    lr_factor: Annotated[float, Field(gt=0, le=1000)] = 1.0
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0


@dataclass(config=STRICT, kw_only=True)
class AdamConfig(OptimConfig):
    """torch.optim.Adam."""

    name: Literal["adam"] = "adam"


@dataclass(config=STRICT, kw_only=True)
class AdamWConfig(OptimConfig):
    """torch.optim.AdamW."""

    name: Literal["adamw"] = "adamw"
    lr: Rate = 2e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01


@dataclass(config=STRICT, kw_only=True)
class SgdConfig(OptimConfig):
    """torch.optim.SGD with Nesterov momentum."""

    name: Literal["sgd"] = "sgd"
    lr: Rate = 0.1
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-4
    momentum: Fraction = 0.9


@dataclass(config=STRICT, kw_only=True)
class RmspropConfig(OptimConfig):
    """torch.optim.RMSprop."""

    name: Literal["rmsprop"] = "rmsprop"
    lr: Rate = 5e-4
    momentum: Fraction = 0.9


@dataclass(config=STRICT, kw_only=True)
class CustomOptimConfig(OptimConfig):
    """A registered optimizer without a schema; ``keys`` are those of its YAML file alone."""

    keys: dict[str, Any] = field(default_factory=dict)


Optim = Annotated[AdamConfig | AdamWConfig | SgdConfig | RmspropConfig | CustomOptimConfig, ByName()]


@dataclass(config=STRICT, kw_only=True)
class CustomConfig(GroupConfig):
    """A registered schedule or loss without a schema; ``keys`` are those of its YAML file."""

    keys: dict[str, Any] = field(default_factory=dict)


@dataclass(config=STRICT, kw_only=True)
class OneCycleConfig(GroupConfig):
    """Up to the optimizer's rate over a part of the steps, then down to nothing along a cosine."""

    name: Literal["onecycle"] = "onecycle"
    warmup: Fraction = 0.2


@dataclass(config=STRICT, kw_only=True)
class PlateauConfig(GroupConfig):
    """Multiply by a factor when the validation loss has not fallen for some epochs."""

    name: Literal["plateau"] = "plateau"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.3
    patience: Natural = 5


@dataclass(config=STRICT, kw_only=True)
class PlainScheduleConfig(GroupConfig):
    """Schedules without keys: down to nothing along a cosine, or a constant rate."""

    name: Literal["cosine", "none"] = "none"


Schedule = Annotated[OneCycleConfig | PlateauConfig | PlainScheduleConfig | CustomConfig, ByName()]


@dataclass(config=STRICT, kw_only=True)
class BceDiceConfig(GroupConfig):
    """Binary cross-entropy plus Dice."""

    name: Literal["bce_dice"] = "bce_dice"
    dice_weight: Weight = 1.0


@dataclass(config=STRICT, kw_only=True)
class PlainLossConfig(GroupConfig):
    """Losses without keys."""

    name: Literal["dice", "bce"] = "dice"


@dataclass(config=STRICT, kw_only=True)
class FocalConfig(GroupConfig):
    """Focal loss."""

    name: Literal["focal"] = "focal"
    gamma: Annotated[float, Field(ge=0, le=10)] = 2.0


@dataclass(config=STRICT, kw_only=True)
class BoundaryConfig(GroupConfig):
    """BCE plus Dice, with the boundary weighted."""

    name: Literal["boundary"] = "boundary"
    radius: Annotated[int, Field(ge=1, le=32)] = 4
    boundary_weight: Weight = 1.0


@dataclass(config=STRICT, kw_only=True)
class CircumferenceConfig(GroupConfig):
    """BCE plus Dice, and the error of the circumference."""

    name: Literal["circumference"] = "circumference"
    circumference_weight: Weight = 1.0


@dataclass(config=STRICT, kw_only=True)
class SignedDistanceConfig(GroupConfig):
    """BCE plus Dice, and the signed distance of what is wrong from the boundary."""

    name: Literal["signed_distance"] = "signed_distance"
    radius: Annotated[int, Field(ge=1, le=256)] = 16
    distance_weight: Weight = 1.0
    circumference_weight: Weight = 0.0


Loss = Annotated[
    BceDiceConfig
    | PlainLossConfig
    | FocalConfig
    | BoundaryConfig
    | CircumferenceConfig
    | SignedDistanceConfig
    | CustomConfig,
    ByName(),
]


@dataclass(config=STRICT, kw_only=True)
class TrainerConfig:
    """How long, on what, and how: most keys are the Lightning trainer's.

    Attributes:
        num_nodes: machines, each with `devices`; ``torchrun`` or ``srun`` starts the processes on all of them.
        gradient_clip_val: largest norm of the gradients; 0 for no limit.
        ema_decay: of the average of the weights, a step; 0 for none.
        early_stopping_patience: epochs without a better ``val/dice``; 0 for never.
        log_images: validation images drawn at each epoch, where a tracker holds pictures.
        threads: of the CPU; None for all cores, or this process's part of them.
        profiler: tells where the time goes; None for no measuring.
        fast_dev_run: one batch of each part, of which nothing is kept.
        limit_train_batches, limit_val_batches: of an epoch: a whole number of them, or a part of all as a decimal.
        check_val_every_n_epoch: epochs between validations.
        detect_anomaly: whether the operation that made a gradient NaN is named; slow.
    """

    max_epochs: Positive = 50
    accelerator: Device = "auto"
    devices: Positive = 1
    num_nodes: Positive = 1
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Precision = "auto"
    gradient_clip_val: Weight = 1.0
    accumulate_grad_batches: Positive = 1
    ema_decay: Fraction = 0.995
    early_stopping_patience: Natural = 0
    progress_bar: bool = True
    log_images: Natural = 4
    threads: Positive | None = None
    profiler: Literal["simple", "pytorch"] | None = None
    fast_dev_run: bool = False
    limit_train_batches: Batches = 1.0
    limit_val_batches: Batches = 1.0
    check_val_every_n_epoch: Positive = 1
    detect_anomaly: bool = False

    @property
    def processes(self) -> int:
        """That train together, each with batches of ``data.batch_size``."""
        return self.devices * self.num_nodes
