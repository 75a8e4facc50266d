"""The configuration: every YAML file fits its schema, and everything that is wrong is told at once."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from fetal_seg.cli.validation import validate
from fetal_seg.config.choices import Choice
from fetal_seg.config.commands import TrainConfig
from fetal_seg.config.registries import NETWORKS
from fetal_seg.errors import InputError
from tests.conftest import ROOT

CONF = ROOT / "conf"
GROUPS = ("data", "augmentation", "model", "optim", "scheduler", "loss", "trainer", "experiment")
CHOICES = [(group, file.stem) for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]


def composed(*overrides, name="train"):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(name, list(overrides)), resolve=False)


def problems(*overrides):
    with pytest.raises(InputError) as caught:
        validate(composed(*overrides), TrainConfig, [CONF])
    return str(caught.value).split("; ")


@pytest.mark.parametrize(("group", "choice"), [pair for pair in CHOICES if pair[1] not in ("from_run", "folder")])
def test_every_yaml_file_fits_its_schema(group, choice):
    plain = composed(f"{group}={choice}")
    plain["data"]["root"] = plain["data"]["root"] and "somewhere"  # interpolations are Hydra's
    result = validate(plain, TrainConfig, [CONF])
    assert isinstance(result, TrainConfig)


def test_all_problems_are_told_at_once_each_with_its_remedy():
    told = problems("++model.dpth=3", "++optim.lr=abc", "++data.height=3", "++modle=unet", "++loss.dice_weight=-1")
    text = "; ".join(told)
    assert "model.dpth is no key; did you mean model.depth?" in text
    assert "optim.lr='abc' is not allowed; give a valid number" in text
    assert "data.height=3 is not allowed; give at least 32" in text
    assert "modle is no key; did you mean model?" in text
    assert "loss.dice_weight=-1 is not allowed; give at least 0" in text


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["data=from_run"], "take data=hc18"),
        (["model=smp", "++model.depth=2"], "at least 3"),
        (["model=smp", "++model.activation=relu"], "model.activation is no key"),
        (["++model.depth=true"], "valid integer"),
        (["++model.activation=swish"], "'relu'"),
        (["++model.compile=3"], "valid boolean"),
        (["++data.name=mnist"], "take one of folder"),
        (["data=folder"], "data.root is missing"),
        (["++augmentation.rotate=3"], "did you mean augmentation.rotation_deg?"),
        (["++augmentation.shadw=0.3"], "did you mean augmentation.shadow?"),
        (["++augmentation.shadow=2"], "augmentation.shadow=2 is not allowed; give at most 1"),
        (["++scheduler.name=linear"], "the schedule 'linear' is unknown; take one of cosine, none, onecycle, plateau"),
        (["++loss.name=tversky"], "take one of bce, bce_dice, boundary"),
        (["++seed=-1"], "at least 0"),
    ],
)
def test_each_problem(overrides, told):
    assert told in "; ".join(problems(*overrides))


def test_a_combination_is_told_beside_a_wrong_value():
    text = "; ".join(problems("++optim.lr=0", "++data.split=kfold", "++data.fold=7"))
    assert "optim.lr=0" in text
    assert "data.fold=7 is not below data.folds=5" in text


def test_a_choice_without_a_schema_has_the_keys_and_types_of_its_yaml_file(tmp_path, monkeypatch):
    names = [*NETWORKS.names(), "tiny"]
    monkeypatch.setattr(NETWORKS, "names", lambda: names)
    plain = composed()
    plain["model"] = {"name": "tiny", "channels": 8, "slope": 1, "init": None}
    with pytest.raises(InputError, match="has no file model/tiny.yaml"):
        validate(plain, TrainConfig, [tmp_path])
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tiny.yaml").write_text("name: tiny\nchannels: 4\nslope: 0.1\n")
    model = validate(plain, TrainConfig, [tmp_path]).model
    assert model.choice == Choice("tiny", {"channels": 8, "slope": 1})
    assert model.compile is False
    plain["model"] = {"name": "tiny", "chanels": 8, "slope": "steep"}
    with pytest.raises(InputError, match=r"did you mean model.channels\?.*give a value like 0.1"):
        validate(plain, TrainConfig, [tmp_path])


def test_a_name_that_only_a_yaml_file_knows_is_refused(tmp_path):
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "linear.yaml").write_text("name: linear\n")
    plain = composed()
    plain["scheduler"] = {"name": "linear"}
    with pytest.raises(InputError, match="the schedule 'linear' is unknown"):
        validate(plain, TrainConfig, [tmp_path])
