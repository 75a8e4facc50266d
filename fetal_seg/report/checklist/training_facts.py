"""What the records tell of a training: network, hyperparameters, seeds, software, hardware, code and weights."""

from typing import Any

from fetal_seg.evaluation.runs import JOBS, SPACE, RunStatus
from fetal_seg.report.checklist.points import Fact, Missing, Told, no_checkpoint
from fetal_seg.report.checklist.records import CONFIG, CURVES, RECORD, SPLIT, Records
from fetal_seg.report.checklist.wording import count, keys_text, value_text

BESIDE = ("init", "compile")  # keys of the model that do not shape the network


def network(records: Records) -> Fact:
    """The network and its size."""
    model = records.chosen("model")
    if not model:
        return Missing(CONFIG, records.to_finish())
    weights = records.weights
    size = f", {count(weights.parameters, 'trained parameter')}" if weights else ""
    text = f"{model.get('name')}{size}: {keys_text(model, without=BESIDE)}"
    return Told(text, f"{CONFIG}, {weights.file}" if weights else CONFIG)


def initialisation(records: Records) -> Fact:
    """What the training started from."""
    model = records.chosen("model")
    if not model:
        return Missing(CONFIG, records.to_finish())
    given = {key: model[key] for key in ("init", "weights") if key in model}
    return Told(f"{keys_text(given)}; all other weights sampled with seed {records.config.get('seed')}", CONFIG)


def optimisation(records: Records) -> Fact:
    """Optimizer, schedule and loss with their keys."""
    groups = {group: records.chosen(group) for group in ("optim", "scheduler", "loss")}
    if not all(groups.values()):
        return Missing(CONFIG, records.to_finish())
    told = [f"{group}={keys.get('name')} ({keys_text(keys)})" for group, keys in groups.items()]
    return Told("; ".join(told), CONFIG)


def training(records: Records) -> Fact:
    """How long, in which batches and with which precision it was trained."""
    trainer, record = records.chosen("trainer"), records.run.record
    if not (trainer and record):
        return Missing(RECORD, records.to_finish())
    keys = ("gradient_clip_val", "accumulate_grad_batches", "ema_decay", "early_stopping_patience")
    shown = {key: trainer[key] for key in keys if key in trainer}
    epochs = f"{records.run.epochs or 0} of {trainer.get('max_epochs')} epochs"
    batches = f"batches of {records.chosen('data').get('batch_size')}"
    precision = f"precision {record.get('precision')}, since {record.get('precision_reason')}"
    return Told(f"{epochs}, {batches}, {keys_text(shown)}; {precision}", f"{CONFIG}, {RECORD}")


def selection(records: Records) -> Fact:
    """Which epoch's weights were kept."""
    rows = [row for row in records.run.curves if row.get("val/dice")]
    if not rows:
        return Missing(CURVES, records.to_finish())
    kind = records.config.get("checkpoint", "best")
    row = max(rows, key=lambda row: float(row["val/dice"])) if kind == "best" else rows[-1]
    number, dice = int(float(row["epoch"])) + 1, float(row["val/dice"])
    so_far = "" if records.run.status == RunStatus.FINISHED else " so far"
    rule = "the highest validation Dice of the mask" if kind == "best" else "the last epoch, with a validation Dice"
    return Told(f"checkpoint={kind}: epoch {number} of {len(rows)}{so_far}, {rule} ({dice:.4f})", f"{CONFIG}, {CURVES}")


def search(records: Records) -> Fact:
    """Whether the run is one of many that were compared."""
    folder = records.run.folder.resolve()
    found = [name for name in (JOBS, SPACE) if (folder.parent / name).is_file()]
    if not found:
        return Told(f"{folder.name} stands alone: no {JOBS} and no {SPACE} beside it", folder.name)
    runs = sum(1 for entry in folder.parent.iterdir() if (entry / ".hydra").is_dir() or (entry / RECORD).is_file())
    changed = keys_text({key: value for key, value in records.run.overrides.items() if not key.startswith("hydra")})
    return Told(f"{folder.name} is one of {count(runs, 'run')} of {folder.parent.name}, with {changed}", found[0])


def seeds(records: Records) -> Fact:
    """The seeds that the run is a function of."""
    if not records.config:
        return Missing(CONFIG, records.to_finish())
    data = records.chosen("data")
    given: dict[str, Any] = {"seed": records.config.get("seed"), "data.split_seed": data.get("split_seed")}
    if "phantom_seed" in data:
        given["data.phantom_seed"] = data["phantom_seed"]
    used = f"; the split was cut with {records.split['seed']}" if "seed" in records.split else ""
    return Told(keys_text(given) + used, f"{CONFIG}, {SPLIT}" if used else CONFIG)


def software(records: Records) -> Fact:
    """The packages and their versions."""
    versions = records.run.record.get("versions")
    if not versions:
        return Missing(RECORD, records.to_finish())
    return Told(", ".join(f"{name} {version}" for name, version in versions.items()), RECORD)


def hardware(records: Records) -> Fact:
    """The machine, and what the training took of it."""
    record = records.run.record
    machine = record.get("machine")
    if not machine:
        return Missing(RECORD, records.to_finish())
    parts = [str(machine.get("processor", "")), count(int(machine.get("cores", 0)), "thread")]
    parts += [*map(str, machine.get("gpus", []) or ["no GPU"]), str(machine.get("platform", ""))]
    took = f"{record['wall_time_s'] / 60:.1f} minutes" if "wall_time_s" in record else ""
    took += f", at most {record['peak_memory_mib']:,.0f} MiB of memory" if "peak_memory_mib" in record else ""
    return Told("; ".join([", ".join(part for part in parts if part), *([took] if took else [])]), RECORD)


def course(records: Records) -> Fact:
    """When it was started and how it ended."""
    record = records.run.record
    if not record:
        return Missing(RECORD, records.to_finish())
    cause = f" ({records.run.cause})" if records.run.cause else ""
    epochs = count(records.run.epochs or 0, "epoch")
    return Told(f"{records.run.status}{cause} after {epochs}; started {value_text(record.get('started'))}", RECORD)


def command(records: Records) -> Fact:
    """The command line that makes the run again."""
    if not records.command:
        return Missing(RECORD, records.to_finish())
    return Told(records.command, RECORD)


def code(records: Records) -> Fact:
    """The commit that ran."""
    git = records.run.record.get("git") or {}
    if not git.get("commit"):
        return Missing(f"the commit in {RECORD}", f"git clone URL && {records.to_finish()}")
    state = "with changes that were not committed" if git.get("dirty") else "without local changes"
    return Told(f"commit {git['commit']}, {state}", RECORD)


def weights_file(records: Records) -> Fact:
    """The trained weights, by their checksum."""
    weights = records.weights
    if weights is None:
        return no_checkpoint(records)
    return Told(f"{weights.file}, {weights.size_mb:.1f} MB, SHA-256 {weights.sha256}", weights.file)
