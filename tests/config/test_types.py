import math
from typing import Annotated, Literal

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from fetal_seg.config.choices import Choice
from fetal_seg.config.types import STRICT, ByName, GroupConfig, check_gestational_age, names_of


@dataclass(config=STRICT, kw_only=True)
class Round(GroupConfig):
    name: Literal["circle", "ellipse"] = "circle"
    radius: float = 1.0


@dataclass(config=STRICT, kw_only=True)
class Other(GroupConfig):
    keys: dict[str, int]


SHAPES = TypeAdapter(Annotated[Round | Other, ByName()])


def test_a_choice_has_the_fields_as_its_keys():
    assert Round(radius=2.0).choice == Choice("circle", {"radius": 2.0})
    assert Other(name="star", keys={"points": 5}).choice == Choice("star", {"points": 5})


def test_a_schema_is_for_the_names_of_its_literal_or_for_any():
    assert names_of(Round) == ("circle", "ellipse")
    assert names_of(Other) == ()


def test_a_union_is_told_apart_by_the_name():
    assert SHAPES.validate_json('{"name": "ellipse", "radius": 3.0}') == Round(name="ellipse", radius=3.0)
    assert SHAPES.validate_json('{"name": "star", "keys": {"points": 5}}') == Other(name="star", keys={"points": 5})
    with pytest.raises(ValidationError, match="radius"):
        SHAPES.validate_json('{"name": "circle", "radius": "wide"}')


def test_a_gestational_age_is_in_weeks():
    assert check_gestational_age(45.0) == 45.0
    for weeks in (0.0, 45.1, 150.0, math.nan):
        with pytest.raises(ValueError, match="in weeks: 21.43 for 21 weeks and 3 days"):
            check_gestational_age(weeks)
