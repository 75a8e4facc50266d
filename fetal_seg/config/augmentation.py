"""The schema of augmentation: what is done to training images."""

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from fetal_seg.config.registries import GREY_AUGMENTATIONS
from fetal_seg.config.types import STRICT, Factor, Probability


@dataclass(config=STRICT, kw_only=True, frozen=True)
class Augmentation:
    """What is done to a training image and, where it moves pixels, to its mask alike.

    Attributes:
        enabled: the one key that turns everything off.
        flip: mirror left-right, and top-bottom, each with probability 0.5.
        rotation_deg: rotate by up to this angle either way, degrees.
        scale: zoom by up to this factor in or out.
        zoom_out: zoom out by up to this factor where it is more than `scale`.
        aspect: stretch one axis against the other by up to this factor.
        shift: move by up to this part of the size.
        gamma: grey values to a power between 1/gamma and gamma.
        contrast: gain between 1 - contrast and 1 + contrast.
        brightness: black raised by up to this part of the range of grey values.
        noise: standard deviation of multiplicative noise as speckle is, up to this.
        blur: standard deviation of a Gaussian blur up to this, px of the network's size.
        sector: probability that all is black outside of a sector that holds the head.
        negatives: probability that the image is replaced by one without a head, and its mask emptied.
        grey: probability of each registered augmentation of grey values, 0 where it is not named. Configurations
            name them beside the other keys: ``augmentation.shadow=0.2``.
    """

    enabled: bool = True
    flip: bool = True
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 30.0
    scale: Factor = 1.25
    zoom_out: Factor = 1.0
    aspect: Factor = 1.0
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.08
    gamma: Factor = 1.5
    contrast: Probability = 0.2
    brightness: Probability = 0.0
    noise: Probability = 0.0
    blur: Annotated[float, Field(ge=0, le=10)] = 0.0
    sector: Probability = 0.0
    negatives: Probability = 0.0
    grey: Mapping[str, Probability] = field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, content: Any) -> Any:
        """Put what is registered as an augmentation of grey values into `grey`."""
        if isinstance(content, cls):
            return content
        keys = dict(content.kwargs or {}) if isinstance(content, ArgsKwargs) else dict(content)
        grey = {name: keys.pop(name) for name in GREY_AUGMENTATIONS.names() if name in keys}
        keys["grey"] = {**keys.get("grey", {}), **grey}
        return ArgsKwargs(content.args, keys) if isinstance(content, ArgsKwargs) else keys

    def to_dict(self) -> dict[str, Any]:
        """The keys as configurations have them."""
        keys = asdict(self)
        grey: dict[str, Any] = keys.pop("grey")
        return keys | grey
