"""The records of a run, for tests of what a checklist makes of them."""

import json

import yaml

from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.summary import summarise, write_summary
from fetal_seg.evaluation.tables import write_per_image
from fetal_seg.report.checklist.records import Weights, read_records
from tests.run_folders import scores, write_run

WEIGHTS = Weights("checkpoints/best.ckpt", "c0ffee", 1.5, 27777, 96, 144, 0.15, 0.2, 24, None)
GROUPS = {
    "data": {"name": "phantom", "root": "a <b> folder", "limit": None, "batch_size": 4, "split_seed": 3},
    "augmentation": {"enabled": True, "rotation_deg": 30.0, "scale": 1.25, "gamma": 1.0, "shadow": 0.0},
    "scheduler": {"name": "onecycle", "warmup": 0.2},
    "loss": {"name": "bce_dice", "dice_weight": 1.0},
    "trainer": {"max_epochs": 3, "ema_decay": 0.995},
    "optim": {"name": "adamw", "lr": 0.002},
}
SPLIT = {"seed": 3, "kind": "random", "train": ["a", "b", "c"], "val": ["d"]}
SPLIT |= {"examinations": {"train": ["1", "2"], "val": ["2"]}}
RECORD = {"command": ["train.py", "data=phantom"], "started": "2026-11-27T02:06:38+0000", "peak_memory_mib": 1021.3}
RECORD |= {"precision": "32-true", "precision_reason": "this CPU has no bfloat16"}


def typed(name, *arguments):
    return " ".join([name, *arguments])


def write_recorded(folder, rows=None, split=SPLIT, groups=GROUPS, **record):
    """A run's folder with a record of everything; without `rows` it has no evaluation."""
    write_run(folder, **(RECORD | record))
    config = yaml.safe_load((folder / ".hydra" / "config.yaml").read_text())
    (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config | groups))
    (folder / "split.json").write_text(json.dumps(split))
    if rows:
        write_evaluation(folder / "evaluation", rows)
    return folder


def write_evaluation(folder, rows):
    write_per_image(folder / "per_image.csv", rows)
    write_summary(folder / "summary.json", summarise(rows) | {"runtime": [{"name": "PyTorch", "reason": ""}]})


def records(folder, weights=WEIGHTS):
    """As the command reads them."""
    (run,) = read_runs([folder])
    command = "python train.py data=phantom" if run.record else ""
    return read_records(run, weights, command=command, again="report checklist=claim RUN", typed=typed)


def evaluated(folder, **options):
    return records(write_recorded(folder, scores(0.95), **options))
