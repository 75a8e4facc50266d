"""Keys of Lightning's trainer that this one has not."""

import pytest

from fetal_seg.cli.foreign_keys import LIGHTNINGS, OF_TRAINER
from fetal_seg.cli.validation import validate
from fetal_seg.config.commands import TrainConfig
from fetal_seg.config.training import TrainerConfig
from fetal_seg.errors import InputError


@pytest.mark.parametrize("key", LIGHTNINGS)
def test_they_are_answered_with_what_to_use(key):
    with pytest.raises(InputError) as refused:
        validate({"trainer": {key: 1}}, TrainConfig, [])
    assert str(refused.value) == f"trainer.{key} is no key; {LIGHTNINGS[key]}"


@pytest.mark.parametrize("key", OF_TRAINER)
def test_keys_of_the_trainer_are_known_without_its_name(key):
    assert key in TrainerConfig.__dataclass_fields__
    with pytest.raises(InputError, match=f"{key} is no key; take trainer.{key}"):
        validate({key: 1}, TrainConfig, [])


def test_the_logger_is_a_group_of_its_own():
    with pytest.raises(InputError, match=r"trainer.logger is no key; did you mean logger\?"):
        validate({"trainer": {"logger": True}}, TrainConfig, [])


def test_none_of_them_is_a_key():
    assert not set(LIGHTNINGS) & set(TrainerConfig.__dataclass_fields__)
