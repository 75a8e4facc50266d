"""The checklist by its command, of a finished run and of one that was interrupted."""

import hashlib
import json
import shutil

import pytest
import yaml

from tests.conftest import run_command
from tests.report.study.shown_report import Page


def asked(run, *arguments, name="claim"):
    done = run_command("report.py", f"checklist={name}", *(arguments or [run]), cwd=run.parent)
    assert done.returncode == 0, done.stderr
    return (run / f"checklist_{name}.md").read_text(encoding="utf-8"), Page(run / f"checklist_{name}.html").text


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def test_a_finished_run_fills_it_with_its_records_and_changes_none_of_them(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    _, page = asked(run)
    record, split = (json.loads((run / name).read_text()) for name in ("run.json", "split.json"))
    summary = json.loads((run / "evaluation" / "summary.json").read_text())
    config = yaml.safe_load((run / ".hydra" / "config.yaml").read_text())
    for fact in (
        record["data_fingerprint"],
        record["git"]["commit"] or "the commit in run.json",
        f"torch {record['versions']['torch']}",
        record["machine"]["processor"],
        f"{len(split['train'])} images of {len(split['examinations']['train'])} examinations to train",
        f"{summary['n']} images, {summary['missed']} missed",
        f"Dice {100 * summary['dice']['mean']:.2f} %",
        f"lr={config['optim']['lr']}",
        hashlib.sha256((run / "checkpoints" / "best.ckpt").read_bytes()).hexdigest(),
    ):
        assert fact in page
    assert page.count("Missing:") == 1  # images of another source
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert {path.name for path in set(after) - set(before)} == {"checklist_claim.md", "checklist_claim.html"}
    assert all(after[path] == content for path, content in before.items())
    assert {path.name for path in run.parent.iterdir()} == {"run"}  # nothing else was left


def test_an_interrupted_run_says_what_is_missing_and_how_to_go_on(run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    text, page = asked(run, f"runs=[{run}]", name="ridge")
    assert f"python train.py resume={run}" in page
    assert "evaluation/summary.json" in page
    assert f"python train.py resume={run}" in text
    assert "ellipse Dice" not in page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["checklist=claim", "run", "run/../other"], "checklist=claim is of one run, here are 2"),
        (["checklist=claim", "run", "runs=[other]"], "give all runs in one way"),
        (["checklist=claim", ""], "a run's folder is empty"),
        (["checklist=stard", "run"], "give 'claim', 'tripod_ai' or 'ridge'"),
        (["checklist=claim"], "give runs=[FOLDER"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(arguments, sentence, run):
    shutil.copytree(run, run.parent / "other")
    done = run_command("report.py", *arguments, cwd=run.parent)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not list(run.glob("checklist*"))


def test_a_refusal_leaves_an_empty_folder_where_it_was_called(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run_command("report.py", "checklist=claim", "../nowhere", cwd=tmp_path / "empty")
    assert done.returncode == 2
    assert (tmp_path / "empty").is_dir()


def test_it_can_lie_elsewhere(run, tmp_path):
    done = run_command("report.py", "checklist=claim", run, f"output={tmp_path}/out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"checklist_claim.md", "checklist_claim.html"}
