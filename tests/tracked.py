"""What trackers have of a run, read back from their files."""

import json
from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from fetal_seg.config.tracking import LoggerConfig, MlflowConfig, WandbConfig, missing_trackers

CONFIGS = {"wandb": LoggerConfig(wandb=WandbConfig()), "mlflow": LoggerConfig(mlflow=MlflowConfig())}
INSTALLED = [name for name, config in CONFIGS.items() if not missing_trackers(config)]


def needs(name):
    """Marks a test that needs a tracker that may be absent."""
    return pytest.mark.skipif(name not in INSTALLED, reason=f"{name} is not installed: pip install '.[trackers]'")


OWN = [pytest.param(name, marks=needs(name)) for name in ("wandb", "mlflow")]  # trackers whose runs have numbers
EACH = ["tensorboard", "csv", *OWN]
BLOCK = 32768  # bytes, of a .wandb file, which is a log as LevelDB writes it


@dataclass
class Tracked:
    """A run as a tracker has it.

    Attributes:
        curves: by name the values by step.
        hyperparameters: by name, as text.
        pictures: names of what was drawn, one for each epoch.
    """

    identity: str
    group: str | None
    curves: dict[str, dict[int, float]]
    hyperparameters: dict[str, str]
    pictures: list[str] = field(default_factory=list)


def of_wandb(run):
    """What W&B's files in a run's folder say, as one run; of one identity alone."""
    from wandb.proto.wandb_internal_pb2 import Record

    identities, groups, curves, hyperparameters, pictures = set(), set(), defaultdict(dict), {}, []
    for file in sorted((run / "wandb").glob("offline-run-*/*.wandb")):
        for content in _records(file.read_bytes()):
            record = Record.FromString(content)
            if record.HasField("run"):
                identities.add(record.run.run_id)
                groups.add(record.run.run_group)
            for item in (*record.run.config.update, *record.config.update):
                hyperparameters[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
            pictures += [item.nested_key[0] for item in record.history.item if "count" in item.nested_key[1:]]
            row = {item.nested_key[0]: json.loads(item.value_json) for item in record.history.item if _is_number(item)}
            for name, value in row.items():
                curves[name][row.get("trainer/global_step")] = value
    (identity,), (group,) = identities, groups
    texts = {name: str(value) for name, value in hyperparameters.items()}
    return Tracked(identity, group or None, dict(curves), texts, pictures)


def _is_number(item):
    return len(item.nested_key) == 1 and not item.nested_key[0].startswith("_")


def _records(content):
    """The records of a log, whose parts do not cross its blocks."""
    place, parts = 7, b""  # after the header
    while place + 7 <= len(content):
        if BLOCK - place % BLOCK < 7:
            place += BLOCK - place % BLOCK
            continue
        size, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        parts += content[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def of_mlflow(database):
    """The runs in a database of MLflow's, by the name of their experiment."""
    from mlflow.tracking import MlflowClient

    client, found = MlflowClient(f"sqlite:///{database}"), defaultdict(list)
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            history = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
            curves = {name: {point.step: point.value for point in points} for name, points in history.items()}
            files = [entry.path for entry in client.list_artifacts(run.info.run_id, "images")]
            names = [path.split("/")[-1].split("+")[0].replace("~", "/") for path in files if path.endswith(".png")]
            tracked = Tracked(run.info.run_id, run.data.tags.get("group"), curves, run.data.params, names)
            found[experiment.name].append(tracked)
    return found


def of_csv(run):
    """Lightning's table and hyperparameters in a run's folder."""
    import yaml

    from tests.conftest import table

    curves = defaultdict(dict)
    for row in table(run / "csv" / "metrics.csv"):
        for name, value in row.items():
            if value and name != "step":
                curves[name][int(row["step"])] = float(value)
    chosen = yaml.safe_load((run / "csv" / "hparams.yaml").read_text())
    return Tracked("", None, dict(curves), {name: str(value) for name, value in chosen.items()})


def of_tensorboard(run):
    """TensorBoard's files in a run's folder."""
    import yaml
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"images": 0, "scalars": 0}).Reload()
    tags = events.Tags()
    curves = {name: {event.step: event.value for event in events.Scalars(name)} for name in tags["scalars"]}
    chosen = yaml.safe_load((run / "tensorboard" / "hparams.yaml").read_text())
    pictures = [name for name in tags["images"] for _ in events.Images(name)]
    return Tracked("", None, curves, {name: str(value) for name, value in chosen.items()}, pictures)
