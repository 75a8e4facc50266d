"""The schemas of trackers, and what their YAML files say."""

import importlib.util
import sys
from dataclasses import asdict, fields
from typing import get_args, get_type_hints

import pytest
from omegaconf import OmegaConf

from fetal_seg.config.tracking import CsvConfig, LoggerConfig, MlflowConfig, WandbConfig, missing_trackers
from tests.conftest import ROOT

FOLDER = ROOT / "conf" / "logger"
SCHEMAS = {name: get_args(schema)[0] for name, schema in get_type_hints(LoggerConfig).items()}


def chosen(name):
    return OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"), resolve=True)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for variable in ("WANDB_MODE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(variable, raising=False)


def test_there_is_a_file_for_each_tracker_and_one_for_none():
    assert {file.stem for file in FOLDER.iterdir()} == {field.name for field in fields(LoggerConfig)} | {"none"}
    assert chosen("none") == {}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_file_has_the_keys_and_the_values_of_its_schema(name):
    assert chosen(name) == {name: asdict(SCHEMAS[name]())}


def test_the_environment_says_where_as_it_does_for_the_trackers_own_programs(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert chosen("wandb")["wandb"]["mode"] == "online"
    assert chosen("mlflow")["mlflow"]["tracking_uri"] == "https://mlflow.example.org"


def test_what_is_chosen_and_not_installed_is_named(monkeypatch, tmp_path):
    (tmp_path / "wandb").mkdir()  # a folder of runs, as W&B leaves them where it was used
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "ditable" not in str(finder)])
    for name in ("wandb", "mlflow"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.invalidate_caches()
    assert missing_trackers(LoggerConfig(csv=CsvConfig())) == []
    (sentence,) = missing_trackers(LoggerConfig(wandb=WandbConfig(), mlflow=MlflowConfig()))
    assert sentence == "logger=wandb,mlflow is not installed; pip install 'fetal_seg[trackers]', or leave it out"


def test_what_is_installed_is_not(monkeypatch, tmp_path):
    (tmp_path / "mlflow.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    importlib.invalidate_caches()
    assert missing_trackers(LoggerConfig(mlflow=MlflowConfig())) == []
