"""Run folders of known scores, as train.py leaves them, for tests of what reads them."""

import json

import numpy as np
import torch
import yaml
from PIL import Image

from fetal_seg.config.choices import Choice
from fetal_seg.evaluation.tables import write_per_image
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.models.building import build_network
from fetal_seg.models.preprocessing import Preprocessing
from tests.models.descriptions import described

HEAD = Ellipse(40, 30, 25, 18, 0.3)
IMAGES = 24  # two of each examination
BASE = {"model": {"name": "encoder_decoder", "depth": 3}, "optim": {"name": "adamw", "lr_factor": 1.0}, "seed": 0}
BASE |= {"trainer": {"max_epochs": 3}, "data": {"root": "here", "fold": 0}}


def scores(mean, spread=0.01, images=IMAGES, missed=(), seed=0, offset=0):
    """Rows of an evaluation whose ellipse Dice has this mean; ADF is 100 (1 - Dice) mm."""
    noise = np.random.default_rng(seed).normal(0, spread, images)
    dice = mean + noise - noise.mean()
    rows = []
    for index, value in enumerate(dice):
        number = index + offset
        row = {"file": f"{number:03d}_HC.png", "examination": f"{number // 2:03d}", "dice": value, "iou": value}
        row |= {"ellipse_dice": value, "ellipse_hd_mm": 200 * (1 - value), "hc_true_mm": 150.0 + number}
        error = 100 * (1 - value)
        row |= {"hc_pred_mm": 150.0 + number + error, "df_mm": error, "adf_mm": error, "missed": False}
        if index in missed:
            row |= {"dice": 0.0, "iou": 0.0, "ellipse_dice": 0.0, "hc_pred_mm": None, "missed": True}
            row |= {"ellipse_hd_mm": np.inf, "df_mm": np.inf, "adf_mm": np.inf}
        rows.append(row)
    return rows


def write_run(folder, overrides=(), rows=None, *, status="finished", losses=(0.9, 0.5, 0.4), cause=None, **record):
    """A run folder; `rows` None is a run without evaluation, `cause` one that failed."""
    config = json.loads(json.dumps(BASE))
    choices = {"model": "encoder_decoder", "optim": "adamw", "hydra/launcher": "basic"}
    for override in overrides:
        key, value = override.lstrip("+").split("=", 1)
        if key.startswith(("hydra", "experiment")):
            continue
        if "." in key or key == "seed":
            group, _, last = key.rpartition(".")
            (config[group] if group else config)[last] = yaml.safe_load(value)
        else:
            choices[key] = value
            config.setdefault(key, {})["name"] = value
    hydra = folder / ".hydra"
    hydra.mkdir(parents=True)
    (hydra / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))
    (hydra / "config.yaml").write_text(yaml.safe_dump(config))
    (hydra / "hydra.yaml").write_text(yaml.safe_dump({"hydra": {"runtime": {"choices": choices}}}))
    content = {"status": status, "wall_time_s": 90.0, "seed": config["seed"], "data_fingerprint": "f" * 32}
    content |= {"git": {"commit": "c0ffee", "dirty": False}, "versions": {"torch": "2.9"}, "machine": {"cores": 2}}
    if cause is not None:
        (folder / "failure.json").write_text(json.dumps({"cause": cause, "traceback": "..."}))
    else:
        done = {"epochs": len(losses)} if status == "finished" else {}
        (folder / "run.json").write_text(json.dumps(content | done | record))
    dice = [f"{0.5 + epoch / 10:g},{0.6 + epoch / 10:g}" for epoch in range(len(losses))]
    lines = [f"{epoch},{loss},{loss},{dice[epoch]},0.001,30" for epoch, loss in enumerate(losses)]
    header = "epoch,train/loss,val/loss,train/dice,val/dice,lr,seconds"
    (folder / "metrics.csv").write_text("\n".join([header, *lines, ""]))
    if rows is not None:
        write_per_image(folder / "evaluation" / "per_image.csv", rows)
    return folder


def write_checkpoint(run, data, depth=2, width=4):
    """An untrained network as a run's best checkpoint; `data` says where the images are."""
    network = Choice("encoder_decoder", {"depth": depth, "width": width})
    state = {f"network.{name}": value for name, value in build_network(network).state_dict().items()}
    (run / "checkpoints").mkdir()
    description = described(network, Preprocessing(32, 48, 0.3, 0.2), Choice.from_dict(data))
    torch.save({"fetal_seg": description.to_dict(), "state_dict": state}, run / "checkpoints" / "best.ckpt")


def write_sweep(folder, jobs):
    """``sweep.json`` of a folder; `jobs` are lists of overrides."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"command": ["train.py", "-m"], "overrides": [], "jobs": jobs}
    (folder / "sweep.json").write_text(json.dumps(content))
    return folder


def write_pictured_runs(folder):
    """Three runs with untrained networks below ``in``, and the images that they were measured on; returns ``in``."""
    data = folder / "data"
    for name in ("images", "masks"):
        (data / name).mkdir(parents=True)
    grey = np.random.default_rng(0).integers(0, 255, (60, 80), np.uint8)
    for index in range(24):
        Image.fromarray(grey).save(data / "images" / f"{index:03d}_HC.png")
        Image.fromarray(HEAD.rasterise(60, 80) * np.uint8(255)).save(data / "masks" / f"{index:03d}_HC.png")
    for number, depth in enumerate((2, 3, 2)):
        overrides = [f"++model.depth={depth}", f"++optim.lr_factor={number}"]
        run = write_run(folder / "in" / str(number), overrides, scores(0.95 - number / 100, seed=number))
        write_checkpoint(run, {"name": "folder", "root": str(data), "cache_dir": str(folder)}, depth)
    return folder / "in"
