"""Types and ranges of configuration keys."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

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
Block = Literal["plain", "residual", "depthwise"]
Skip = Literal["none", "add", "concat"]
Upsample = Literal["transpose", "bilinear", "nearest"]

OLDEST_WEEKS = 45.0  # no pregnancy lasts longer: an age beyond was given in days, say


def possible_age(weeks: float) -> float:
    """The gestational age, if it can be one: above 0 and at most `OLDEST_WEEKS`.

    Raises:
        ValueError: it cannot.
    """
    if not 0 < weeks <= OLDEST_WEEKS:  # nan is not either
        raise ValueError(
            f"a gestational age of {weeks:g} weeks; it must be above 0 and at most {OLDEST_WEEKS:g}, "
            "in weeks: 21.43 for 21 weeks and 3 days"
        )
    return weeks


GestationalAge = Annotated[float, AfterValidator(possible_age)]
