import json
import shutil

import pytest

from fetal_seg.report.checklist import training_facts
from fetal_seg.report.checklist.points import Missing
from tests.report.checklist.recorded import GROUPS, evaluated, records, write_recorded
from tests.run_folders import write_sweep


@pytest.fixture
def told(tmp_path):
    return evaluated(tmp_path / "run")


def test_the_network_has_its_size_and_its_keys(told):
    assert training_facts.network(told).text == "encoder_decoder, 27,777 trained parameters: depth=3"


def test_what_it_started_from(told, tmp_path):
    assert training_facts.initialisation(told).text == "no keys; all other weights sampled with seed 0"
    groups = GROUPS | {"model": {"name": "lite", "init": "pretrained", "weights": "imagenet"}}
    assert training_facts.initialisation(evaluated(tmp_path / "lite", groups=groups)).text.startswith(
        "init=pretrained, weights=imagenet"
    )


def test_hyperparameters(told):
    assert training_facts.optimisation(told).text == (
        "optim=adamw (lr=0.002); scheduler=onecycle (warmup=0.2); loss=bce_dice (dice_weight=1)"
    )
    assert training_facts.training(told).text == (
        "3 of 3 epochs, batches of 4, ema_decay=0.995; precision 32-true, since this CPU has no bfloat16"
    )
    assert training_facts.seeds(told).text == "seed=0, data.split_seed=3; the split was cut with 3"


def test_the_epoch_that_was_kept(told, tmp_path):
    assert training_facts.selection(told).text == (
        "checkpoint=best: epoch 3 of 3, the highest validation Dice of the mask (0.8000)"
    )
    last = evaluated(tmp_path / "last", groups=GROUPS | {"checkpoint": "last"})
    assert "checkpoint=last: epoch 3 of 3, the last epoch" in training_facts.selection(last).text
    cut = records(write_recorded(tmp_path / "cut", status="interrupted", losses=(0.9, 0.5)))
    assert "epoch 2 of 2 so far" in training_facts.selection(cut).text


def test_a_job_of_a_sweep_is_one_of_many(told, tmp_path):
    assert training_facts.search(told).text == "run stands alone: no sweep.json and no search.json beside it"
    sweep = write_sweep(tmp_path / "sweep", [["++model.depth=3"], ["++model.depth=4"]])
    for job in "01":
        shutil.copytree(tmp_path / "run", sweep / job)
    (sweep / "0" / ".hydra" / "overrides.yaml").write_text('["++model.depth=3"]')
    assert training_facts.search(records(sweep / "0")).text == "0 is one of 2 runs of sweep, with model.depth=3"


def test_software_code_and_hardware(told):
    assert training_facts.software(told).text == "torch 2.9"
    assert training_facts.code(told).text == "commit c0ffee, without local changes"
    assert training_facts.hardware(told).text == "2 threads, no GPU; 1.5 minutes, at most 1,021 MiB of memory"
    assert training_facts.command(told).text == "python train.py data=phantom"
    assert training_facts.course(told).text == "finished after 3 epochs; started 2026-11-27T02:06:38+0000"
    assert training_facts.weights_file(told).text == "checkpoints/best.ckpt, 1.5 MB, SHA-256 c0ffee"


def test_without_git_the_commit_is_missing(tmp_path):
    told = evaluated(tmp_path / "run", git={"commit": None, "dirty": None})
    assert training_facts.code(told) == Missing(
        "the commit in run.json", "git clone URL && python train.py data=phantom"
    )


def test_each_names_the_record_that_is_missing(tmp_path):
    folder = write_recorded(tmp_path / "run")
    for name in (".hydra/config.yaml", "split.json", "metrics.csv"):
        (folder / name).unlink()
    (folder / "run.json").write_text(json.dumps({}))
    (folder / "failure.json").write_text(json.dumps({"cause": "no data"}))
    told = records(folder, weights=None)
    facts = {
        training_facts.network: ".hydra/config.yaml",
        training_facts.initialisation: ".hydra/config.yaml",
        training_facts.optimisation: ".hydra/config.yaml",
        training_facts.seeds: ".hydra/config.yaml",
        training_facts.training: "run.json",
        training_facts.selection: "metrics.csv",
        training_facts.software: "run.json",
        training_facts.hardware: "run.json",
        training_facts.course: "run.json",
        training_facts.command: "run.json",
        training_facts.weights_file: "checkpoints/best.ckpt",
    }
    for fact, record in facts.items():
        assert fact(told) == Missing(record, "train")
