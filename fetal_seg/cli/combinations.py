"""What is wrong with a configuration whose single values are all right: values that do not go together."""

from pathlib import Path

from fetal_seg.config.commands import PredictConfig, ReportConfig, SearchConfig, TrainConfig
from fetal_seg.config.search import search_problems
from fetal_seg.config.tracking import missing_trackers

NOT_COMPARED = (
    "trainer.fast_dev_run=true keeps nothing that a sweep or a search could compare; take trainer.max_epochs=1 "
    "trainer.limit_train_batches=1"
)


def problems_of(config: object, *, groups_stand: bool = True) -> list[str]:
    """A sentence for each thing that is wrong, of the configuration of any command.

    Args:
        groups_stand: whether all its groups are those that were given; defaults stand in for those that were refused.
    """
    problems: list[str] = []
    if isinstance(config, TrainConfig) and groups_stand:
        problems += _of_training(config) + missing_trackers(config.logger)
    if isinstance(config, SearchConfig):
        problems += search_problems(config.search)
    if isinstance(config, PredictConfig):
        problems += _of_prediction(config)
    if isinstance(config, ReportConfig):
        problems += _of_report(config)
    return problems


def _of_training(config: TrainConfig) -> list[str]:
    problems: list[str] = []
    data, model, trainer = config.data, config.model, config.trainer
    if data.split == "kfold" and data.fold >= data.folds:
        problems.append(f"data.fold={data.fold} is not below data.folds={data.folds}; folds count from 0")
    elif data.split != "kfold" and data.fold:
        problems.append(f"data.fold={data.fold} means nothing with data.split={data.split}; add data.split=kfold")
    depth = model.choice.keys.get("depth")
    smallest = min(data.height, data.width)
    if isinstance(depth, int) and 2**depth > smallest:
        problems.append(
            f"model.depth={depth} halves the image {depth} times, but its side is {smallest} px; "
            f"take a depth of at most {smallest.bit_length() - 1}, or a larger data.height and data.width"
        )
    if model.choice.keys.get("deep_supervision") and depth == 1:
        problems.append("model.deep_supervision=true needs levels to supervise; take model.depth=2 or more")
    if trainer.precision == "16-mixed" and trainer.accelerator == "cpu":
        problems.append("trainer.precision=16-mixed does not exist on a CPU; take bf16-mixed, 32-true or auto")
    if trainer.devices > 1 and trainer.strategy == "auto" and trainer.accelerator == "cpu":
        problems.append(f"trainer.devices={trainer.devices} on a CPU needs trainer=ddp; or take trainer.devices=1")
    if trainer.fast_dev_run and isinstance(config, SearchConfig):
        problems.append(NOT_COMPARED)
    if trainer.max_epochs < trainer.check_val_every_n_epoch:
        problems.append(
            f"trainer.check_val_every_n_epoch={trainer.check_val_every_n_epoch} never validates in a training of "
            f"{trainer.max_epochs} epochs, so that there is no best checkpoint; take {trainer.max_epochs} or fewer"
        )
    if 0 < trainer.max_epochs <= trainer.early_stopping_patience:
        problems.append(
            f"trainer.early_stopping_patience={trainer.early_stopping_patience} cannot stop a training of "
            f"{trainer.max_epochs} epochs; take a smaller patience, or 0 for none"
        )
    return problems


def _of_prediction(config: PredictConfig) -> list[str]:
    """Whether results would lie among the images that are measured, where the next prediction would find them."""
    inputs = [config.input] if isinstance(config.input, str) else config.input
    output = Path(config.output).expanduser().resolve() if config.output else None
    if output and any(Path(path).expanduser().resolve() == output for path in inputs):
        return [f"output={config.output} is what is to be measured; give another folder, one in it for instance"]
    return []


def _of_report(config: ReportConfig) -> list[str]:
    if bool(config.runs) == bool(config.predictions):
        return ["give runs=[FOLDER,...] to compare them, or predictions=[FOLDER,...] to merge them; one of both"]
    if config.predictions and config.checklist:
        return [f"checklist={config.checklist} is of a run; give runs=[FOLDER] instead of predictions="]
    return []
