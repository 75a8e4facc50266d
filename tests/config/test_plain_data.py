import json
from dataclasses import field

import pytest
from pydantic import StrictInt, ValidationError
from pydantic.dataclasses import dataclass

from fetal_seg.config.choices import Choice
from fetal_seg.config.plain_data import Names, Numbers, PlainChoice, PlainData, wrong_entries


@dataclass(frozen=True)
class Inner(PlainData):
    sizes: Numbers


@dataclass(frozen=True)
class Outer(PlainData):
    count: StrictInt
    names: Names
    network: PlainChoice
    inner: Inner = field(default_factory=lambda: Inner((1.0,)))


EXAMPLE = Outer(2, ("a", "b"), Choice("unet", {"depth": 3}), Inner((0.5, 2.0)))


def test_it_becomes_plain_data_and_comes_back():
    content = EXAMPLE.to_dict()
    assert content == {
        "count": 2,
        "names": ["a", "b"],
        "network": {"name": "unet", "depth": 3},
        "inner": {"sizes": [0.5, 2.0]},
    }
    assert Outer.from_dict(json.loads(json.dumps(content))) == EXAMPLE


def test_entries_without_a_field_are_ignored_and_defaults_fill_in():
    content = {"count": 1, "names": [], "network": {"name": "lite"}, "of_the_future": 3}
    assert Outer.from_dict(content) == Outer(1, (), Choice("lite"))


def test_missing_and_wrong_entries_are_named_with_the_value_and_the_rule():
    with pytest.raises(ValidationError) as caught:
        Outer.from_dict({"count": "2", "network": {"name": "unet"}, "inner": {"sizes": [1.0, "x"]}})
    text = wrong_entries(caught.value)
    assert "names is missing" in text
    assert "count='2' is wrong (should be a valid integer)" in text
    assert "inner.sizes.1='x' is wrong (should be a valid number)" in text


def test_of_many_wrong_entries_three_are_named():
    with pytest.raises(ValidationError) as caught:
        Inner.from_dict({"sizes": list("abcde")})
    assert wrong_entries(caught.value).endswith(" and 2 more")
