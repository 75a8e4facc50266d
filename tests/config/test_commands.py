from dataclasses import MISSING, asdict, fields, is_dataclass

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.config.commands import EvaluateConfig, PredictConfig, ReportConfig, SearchConfig, TrainConfig
from fetal_seg.config.registries import GREY_AUGMENTATIONS
from fetal_seg.config.tracking import LoggerConfig
from tests.conftest import ROOT

CONF = ROOT / "conf"


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("train", TrainConfig),
        ("search", SearchConfig),
        ("evaluate", EvaluateConfig),
        ("predict", PredictConfig),
        ("report", ReportConfig),
    ],
)
def test_a_command_has_the_keys_and_the_values_of_its_schema(name, schema, monkeypatch):
    for variable in ("HC18_ROOT", "WANDB_MODE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(variable, raising=False)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = OmegaConf.to_container(compose(name), resolve=True)
    assert set(composed) == {field.name for field in fields(schema)}
    for field in fields(schema):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if isinstance(default, Augmentation):
            default = dict.fromkeys(GREY_AUGMENTATIONS.names(), 0.0) | default.to_dict()
        expected = asdict(default) if is_dataclass(default) else default
        if isinstance(default, LoggerConfig):  # YAML has no key for a tracker that is not chosen
            expected = {name: keys for name, keys in expected.items() if keys is not None}
        assert composed[field.name] == ("???" if expected is MISSING else expected), field.name
