"""A key has one owner: what a YAML file or a constructor says of it agrees with its schema."""

import inspect
from dataclasses import asdict

import pytest
from omegaconf import OmegaConf

from fetal_seg.cli.validation import GROUPS
from fetal_seg.config import data, model, training
from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.launcher import LauncherConfig
from fetal_seg.config.registries import GREY_AUGMENTATIONS
from fetal_seg.config.training import TrainerConfig
from fetal_seg.config.types import GroupConfig, names_of
from tests.conftest import ROOT

CONF = ROOT / "conf"
SCHEMAS = {
    name: schema
    for module in (data, model, training)
    for schema in vars(module).values()
    if isinstance(schema, type) and issubclass(schema, GroupConfig)
    for name in names_of(schema)
}
CHOICES = [(group, file.stem) for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]


def values(file):
    """A YAML file's keys, with what Hydra puts in from elsewhere."""
    content = OmegaConf.to_container(OmegaConf.load(CONF / file), resolve=True)
    return {key: value for key, value in content.items() if key not in ("defaults", "hydra")}


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_a_choice_has_the_keys_and_the_values_of_its_schema(group, choice, monkeypatch):
    monkeypatch.delenv("HC18_ROOT", raising=False)
    assert values(f"{group}/{choice}.yaml") == asdict(SCHEMAS[choice](name=choice))


def test_the_launcher_of_slurm_has_the_values_of_its_schema_and_the_others_have_its_keys():
    assert values("hydra/launcher/slurm.yaml") == asdict(LauncherConfig())
    for file in (CONF / "hydra" / "launcher").glob("*.yaml"):
        LauncherConfig(**values(f"hydra/launcher/{file.name}"))


def test_the_trainer_and_the_default_augmentation_have_the_values_of_their_schemas():
    assert values("trainer/default.yaml") == asdict(TrainerConfig())
    nothing = dict.fromkeys(GREY_AUGMENTATIONS.names(), 0.0)
    assert values("augmentation/light.yaml") == nothing | Augmentation().to_dict()


@pytest.mark.parametrize(("group", "choice"), [pair for pair in CHOICES if pair[0] != "data"])
def test_a_constructor_has_the_defaults_of_its_schema(group, choice):
    """Networks, losses, optimizers and schedules: the keywords that they take besides what all of them are given."""
    keys = dict(SCHEMAS[choice](name=choice).choice.keys)
    for key in ("lr", "lr_factor", "weight_decay") if group == "optim" else ():
        del keys[key]
    parameters = inspect.signature(GROUPS[group][choice]).parameters.values()
    given = {"loss": 2, "optim": 2, "scheduler": 2}.get(group, 0)
    assert {parameter.name: parameter.default for parameter in list(parameters)[given:]} == keys
