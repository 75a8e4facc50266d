"""The configuration: every YAML file fits its schema, and everything that is wrong is told at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from fetal_seg.cli.validation import validate
from fetal_seg.config.choices import Choice
from fetal_seg.config.commands import TrainConfig
from fetal_seg.config.registries import NETWORKS
from fetal_seg.errors import InputError
from tests.conftest import ROOT, run_command

CONF = ROOT / "conf"
GROUPS = ("data", "augmentation", "model", "optim", "scheduler", "loss", "trainer", "experiment")
CHOICES = [(group, file.stem) for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]


def composed(*overrides, name="train"):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(name, list(overrides)), resolve=False)


def problems(*overrides):
    with pytest.raises(InputError) as caught:
        validate(composed(*overrides), TrainConfig, CONF)
    return str(caught.value).split("; ")


@pytest.mark.parametrize(("group", "choice"), [pair for pair in CHOICES if pair[1] not in ("from_run", "folder")])
def test_every_yaml_file_fits_its_schema(group, choice):
    plain = composed(f"{group}={choice}")
    plain["data"]["root"] = plain["data"]["root"] and "somewhere"  # interpolations are Hydra's
    result = validate(plain, TrainConfig, CONF)
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
        (["++model.depth=8"], "take a depth of at most 7"),
        (["++data.fold=2"], "add data.split=kfold"),
        (["++data.split=kfold", "++data.fold=5"], "folds count from 0"),
        (["++model.depth=1", "++model.deep_supervision=true"], "take model.depth=2"),
        (["++trainer.precision=16-mixed", "++trainer.accelerator=cpu"], "take bf16-mixed"),
        (["++trainer.accelerator=cpu", "++trainer.devices=2"], "trainer=ddp"),
        (["++trainer.max_epochs=3", "++trainer.early_stopping_patience=3"], "smaller patience"),
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
        validate(plain, TrainConfig, tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tiny.yaml").write_text("name: tiny\nchannels: 4\nslope: 0.1\n")
    model = validate(plain, TrainConfig, tmp_path).model
    assert model.choice == Choice("tiny", {"channels": 8, "slope": 1})
    assert model.compile is False
    plain["model"] = {"name": "tiny", "chanels": 8, "slope": "steep"}
    with pytest.raises(InputError, match=r"did you mean model.channels\?.*give a value like 0.1"):
        validate(plain, TrainConfig, tmp_path)


def test_a_name_that_only_a_yaml_file_knows_is_refused(tmp_path):
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "linear.yaml").write_text("name: linear\n")
    plain = composed()
    plain["scheduler"] = {"name": "linear"}
    with pytest.raises(InputError, match="the schedule 'linear' is unknown"):
        validate(plain, TrainConfig, tmp_path)


class TestCommandLine:
    @pytest.mark.parametrize("script", ["train.py", "evaluate.py", "predict.py"])
    def test_bad_keys_exit_with_2_in_one_message_and_leave_nothing(self, script, tmp_path):
        done = run_command(script, "sed=1", "++nothing.at=all", cwd=tmp_path)
        assert done.returncode == 2
        assert "sed is no key" in done.stderr
        assert "nothing is no key" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_unknown_choices_are_told_with_the_known_ones(self, tmp_path):
        done = run_command("train.py", "model=unte", "optim=adam,sdg", "-m", cwd=tmp_path)
        assert done.returncode == 2
        assert "model=unte is unknown; take one of encoder_decoder, lite, smp, unet" in done.stderr
        assert "optim=sdg is unknown" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_a_sweep_is_checked_before_it_starts(self, tmp_path):
        done = run_command("train.py", "-m", "model.dpth=3,4", "optim=adam,sgd", "optim.lr=-1", cwd=tmp_path)
        assert done.returncode == 2
        assert "did you mean model.depth?" in done.stderr
        assert "optim.lr=-1" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_keys_of_before_are_understood(self, tmp_path):
        """Augmentation was a part of the data; a wrong value is told under the key's present name."""
        done = run_command("train.py", "data=phantom", "data.augmentation.scale=9", cwd=tmp_path)
        assert done.returncode == 2
        assert "augmentation.scale=9 is not allowed; give at most 4" in done.stderr

    def test_what_is_no_override(self, tmp_path):
        done = run_command("train.py", "model", cwd=tmp_path)
        assert done.returncode == 2
        assert "write key=value" in done.stderr

    def test_nothing_heavy_is_imported_before_the_configuration_is_checked(self, tmp_path):
        code = (
            "import sys, runpy\n"
            f"sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['train.py', 'optim.lr=-1']\n"
            f"try: runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')\n"
            "except SystemExit as stop: assert stop.code == 2\n"
            "heavy = {'torch', 'lightning', 'cv2', 'scipy', 'numpy'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("script", ["train.py", "evaluate.py", "predict.py"])
    def test_help_names_groups_and_keys(self, script, tmp_path):
        done = run_command(script, "--help", cwd=tmp_path)
        assert done.returncode == 0
        assert f"python {script}" in done.stdout
        assert "null" in done.stdout
        assert list(Path(tmp_path).iterdir()) == []
