"""Types and ranges that keys share, and what all schemas are made of."""

from dataclasses import asdict, fields
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.dataclasses import dataclass
from pydantic_core import CoreSchema, core_schema

from fetal_seg.config.choices import Choice
from fetal_seg.config.shards import Shard
from fetal_seg.errors import InputError

STRICT = ConfigDict(extra="forbid", strict=True)

Positive = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Size = Annotated[int, Field(ge=32, le=4096)]
Depth = Annotated[int, Field(ge=1, le=8)]
Width = Annotated[int, Field(ge=1, le=256)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=1, le=4)]
Weight = Annotated[float, Field(ge=0)]
PIXEL_SIZES_MM = (1e-4, 100.0)  # that a side of a pixel can have
PixelSize = Annotated[float, Field(ge=PIXEL_SIZES_MM[0], le=PIXEL_SIZES_MM[1], allow_inf_nan=False)]
ShardText = Annotated[str, AfterValidator(lambda text: str(Shard.from_text(text)))]
OneOrMore = str | Annotated[list[str], Field(min_length=1)]

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "prelu"]
Norm = Literal["batch", "group", "instance", "none"]
Block = Literal["plain", "residual", "depthwise"]
Skip = Literal["none", "add", "concat"]
Stem = Literal["full", "half"]
Upsample = Literal["transpose", "bilinear", "nearest"]
Weights = Literal["none", "imagenet"]
Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
ExportFormat = Literal["onnx", "openvino"]
RuntimeName = Literal["auto", "pytorch", "onnx", "openvino"]
ExportPrecision = Literal["f32", "f16", "int8"]
PictureFormat = Literal["jpg", "png"]
Unlabelled = Literal["refuse", "skip", "no_head"]  # what becomes of images without a mask
TestTimeAugmentation = Literal["none", "flips"]
ChecklistName = Literal["claim", "tripod_ai", "ridge"]

OLDEST_WEEKS = 45.0  # no pregnancy lasts longer: an age beyond was given in days, say


def check_gestational_age(weeks: float) -> float:
    """The age, if it can be one: above 0 and at most `OLDEST_WEEKS`. It need not be in any standard's range.

    Raises:
        InputError: it cannot.
    """
    if not 0 < weeks <= OLDEST_WEEKS:  # nan is not either
        raise InputError(
            f"a gestational age of {weeks:g} weeks; it must be above 0 and at most {OLDEST_WEEKS:g}, "
            "in weeks: 21.43 for 21 weeks and 3 days"
        )
    return weeks


GestationalAge = Annotated[
    float,
    AfterValidator(check_gestational_age),
    Field(json_schema_extra={"exclusiveMinimum": 0, "maximum": OLDEST_WEEKS}),  # for the reference
]


@dataclass(config=STRICT, kw_only=True)
class GroupConfig:
    """A choice of a configuration group; its fields are the keys that it takes.

    A choice without a schema of its own has the keys of its YAML file in a field ``keys``.
    """

    name: str

    @property
    def choice(self) -> Choice:
        """The name and the keys of what is chosen, as a registry takes them."""
        keys = asdict(self)
        name, custom = keys.pop("name"), keys.pop("keys", {})
        return Choice(name, keys | custom)


def names_of(schema: Any) -> tuple[str, ...]:
    """The names that a schema is for; none where it is for any."""
    return get_args(next(field.type for field in fields(schema) if field.name == "name"))


def by_name(schemas: tuple[Any, ...]) -> dict[str, Any]:
    """The schemas of a union by the names that they are for; the last one, for all other names, is not among them."""
    return {name: schema for schema in schemas for name in names_of(schema)}


class ByName:
    """Annotates a union of group schemas: the one whose ``name`` allows the name given, the last for all others."""

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A union that pydantic discriminates by the name."""
        schemas = get_args(union)
        named = by_name(schemas)

        def choose(value: Any) -> int:
            name = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
            return schemas.index(named.get(str(name), schemas[-1]))

        return core_schema.tagged_union_schema(dict(enumerate(map(handler, schemas))), choose)
