"""Values that do not go together, of each command."""

import pytest

from fetal_seg.cli.combinations import problems_of
from fetal_seg.cli.composing import compose
from fetal_seg.config.commands import PredictConfig, ReportConfig
from fetal_seg.errors import InputError


def problems(name, *overrides):
    with pytest.raises(InputError) as caught:
        compose(list(overrides), name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["model.depth=8"], "take a depth of at most 7"),
        (["data.fold=2"], "add data.split=kfold"),
        (["data.split=kfold", "data.fold=5"], "folds count from 0"),
        (["model.depth=1", "model.deep_supervision=true"], "take model.depth=2"),
        (["trainer.precision=16-mixed", "trainer.accelerator=cpu"], "take bf16-mixed"),
        (["trainer.accelerator=cpu", "trainer.devices=2"], "trainer=ddp"),
        (["trainer.max_epochs=3", "trainer.early_stopping_patience=3"], "smaller patience"),
        (["trainer.max_epochs=3", "trainer.check_val_every_n_epoch=4"], "so that there is no best checkpoint"),
    ],
)
def test_of_a_training(overrides, told):
    assert told in problems("train", *overrides)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["trainer.fast_dev_run=true"], "keeps nothing that a sweep or a search could compare"),
        (["search.sampler=cmaes", "search.objectives=[dice,milliseconds]"], "cmaes knows one objective"),
        (["data.fold=2"], "add data.split=kfold"),
    ],
)
def test_of_a_search(overrides, told):
    assert told in problems("search", *overrides)


def test_of_a_search_they_are_told_beside_a_choice_that_is_unknown():
    told = problems("search", "loss.name=nobody", "search.sampler=cmaes", "search.objectives=[dice,milliseconds]")
    assert "nobody" in told
    assert "cmaes knows one objective" in told


def test_results_are_not_written_among_what_is_measured(tmp_path):
    assert "give another folder" in problems_of(PredictConfig(input=f"{tmp_path}/a/../b", output=f"{tmp_path}/b"))[0]
    assert problems_of(PredictConfig(input=str(tmp_path), output=f"{tmp_path}/out")) == []


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "one of both"),
        ({"runs": ["a"], "predictions": ["b"]}, "one of both"),
        ({"predictions": ["b"], "checklist": "claim"}, "is of a run; give runs=[FOLDER]"),
    ],
)
def test_of_a_report(keys, told):
    (problem,) = problems_of(ReportConfig(**keys))
    assert told in problem


def test_what_goes_together_is_no_problem():
    assert problems_of(ReportConfig(runs=["a"])) == []
    assert problems_of(None) == []
