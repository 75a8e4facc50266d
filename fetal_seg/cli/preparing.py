"""What a command line asks for, checked before Hydra makes a folder for it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from fetal_seg.cli.composing import checked, compose, composed_of
from fetal_seg.cli.overrides import (
    SEARCHPATH,
    SEVERAL,
    as_hydra_takes,
    is_of_hydra,
    is_sweep,
    last_value,
    naming,
    with_named_runs,
    with_own_folder,
)
from fetal_seg.cli.run_folder import (
    CONFIG,
    ResumedRun,
    changes_of,
    check_free,
    check_resumed,
    command_of,
    read_resumed,
    taken,
)
from fetal_seg.cli.sweep import Sweep, plan_sweep
from fetal_seg.cli.together import check_alone, check_together, in_one_folder
from fetal_seg.config.extras import check_training
from fetal_seg.config.processes import is_first_process, starter
from fetal_seg.config.shards import Shard
from fetal_seg.errors import InputError
from fetal_seg.files import check_writable, is_locked

if TYPE_CHECKING:
    from fetal_seg.config.commands import TrainConfig
    from fetal_seg.config.launcher import LauncherConfig
    from fetal_seg.config.training import TrainerConfig

TRAINING = ("train", "evaluate", "search", "report", "export")  # commands that need what a training needs
OF_A_FILE = ("export",)  # commands whose output is a file: they have no folder
IN_A_RUN = ("hydra.run.dir=.", "hydra.output_subdir=null", "hydra/job_logging=stdout")  # adds files to another's folder
NAMING = ("resume", "sweep.resume", "ckpt_path", "ckpt", "output", "hydra.run.dir", "hydra.sweep.dir")  # keys of paths


def named_folder(overrides: list[str]) -> Path | None:
    """The folder that a command line names for a run."""
    named = last_value(overrides, "hydra.run.dir")
    return Path(named).expanduser() if named else None


def prepare(arguments: list[str], name: str) -> list[str] | Sweep | ResumedRun:
    """Check a command line before Hydra makes a folder for it: the arguments for Hydra, a sweep, or a run to go on."""
    arguments, config_name = with_own_folder(arguments)
    arguments = with_named_runs(arguments) if name == "report" else arguments
    flags = [argument for argument in arguments if argument.startswith("-")]
    if any(flag not in ("-m", "--multirun") for flag in flags):
        return [*naming(config_name, arguments), *arguments]  # --help, --cfg and the like are Hydra's own
    if name != "train":
        check_alone(starter(), name)
    overrides = as_hydra_takes([argument for argument in arguments if argument not in flags])
    if name in TRAINING and not (name == "report" and last_value(overrides, "predictions")):
        check_training(name)
    _check_named(overrides)
    if name == "train" and (flags or last_value(overrides, "sweep.resume")):
        if last_value(overrides, "resume"):
            raise InputError("resume= goes on with one run; of a sweep take sweep.resume=FOLDER")
        check_alone(starter(), "sweep")
        return _prepare_sweep(overrides, config_name)
    if name == "train" and (resumed := last_value(overrides, "resume")):
        return _prepare_resumed(Path(resumed).expanduser(), overrides)
    if flags:
        raise InputError(f"-m is for train alone; call {name} once for each")
    if several := [text.lstrip("+") for text in overrides if is_sweep(text)]:
        remedy = "add -m for a sweep" if name == "train" else "write a decimal with a point, several in [ ]"
        together = [
            f"{key}=[{values}]" for key, _, values in (text.partition("=") for text in several) if key in SEVERAL
        ]
        remedy += f", or take all at once by {', '.join(together)}" if together else ""
        raise InputError(f"{', '.join(several)}: that is several values; give one, or {remedy}")
    is_checklist = name == "report" and last_value(overrides, "checklist") is not None
    if is_checklist:
        overrides += IN_A_RUN
    elif name != "train":
        _place_output(overrides, name)
    composed = compose(overrides, name, config_name)
    if name == "train":
        overrides = _of_this_process(overrides, composed.trainer, config_name or name)
    return [*naming(config_name, overrides), *overrides]


def _of_this_process(overrides: list[str], trainer: "TrainerConfig", config_name: str) -> list[str]:
    """The overrides of a training for this process, of those that train together; the first one looks at the folder."""
    together = starter()
    check_together(trainer, together)
    if is_first_process():
        _check_folder(overrides, config_name)
    return in_one_folder(overrides, together) if together else overrides


def _place_output(overrides: list[str], name: str) -> None:
    """Add where Hydra puts its files, which is where the results go, if that folder is named and can be written."""
    output = last_value(overrides, "output")
    shard = last_value(overrides, "predict.shard") if name == "predict" else None
    if name in OF_A_FILE:
        _check_output(Path(output).expanduser().parent if output else Path(), name)
        return
    folder = Path((output or "outputs").replace("\\'", "'")).expanduser()
    if shard and not output:
        raise InputError(f"predict.shard={shard} needs a folder that all shards share; add output=FOLDER")
    if shard:
        folder /= Shard.from_text(shard).folder
    _check_output(folder, name)
    if output:
        escaped = str(folder).replace("'", "\\'")
        overrides.append(f"hydra.run.dir='{escaped}'")


def _prepare_resumed(folder: Path, overrides: list[str]) -> ResumedRun:
    others = [text for text in overrides if not text.lstrip("+").startswith(("resume=", f"{SEARCHPATH}="))]
    if last_value(others, "ckpt_path"):
        raise InputError("ckpt_path= cannot be given beside resume=, which goes on from the run's own; leave it out")
    if of_hydra := [text for text in others if is_of_hydra(text)]:
        raise InputError(f"{', '.join(of_hydra)} cannot be given beside resume=; the run has its folder; leave it out")
    resumed = read_resumed(folder, changes_of(others))
    check_together(checked(OmegaConf.create(resumed.config), "train").trainer, starter())
    return resumed


def _check_folder(overrides: list[str], config_name: str) -> None:
    """See that a run overwrites nothing, and that what it goes on from was begun with the same keys."""
    folder, checkpoint = named_folder(overrides), last_value(overrides, "ckpt_path")
    if folder and is_locked(folder):
        raise taken(folder)
    if folder and checkpoint != "last":
        check_free(folder)
    if checkpoint is None:
        return
    of_run = (folder or Path()) if checkpoint == "last" else Path(checkpoint).expanduser().parent.parent
    if checkpoint == "last" and folder is None:
        raise InputError("ckpt_path=last goes on in hydra.run.dir=RUN; give it, or resume=RUN alone")
    if checkpoint != "last" and not (of_run / CONFIG).is_file():
        return  # a checkpoint that was copied; what it tells of itself is compared when it is read
    if checkpoint == "last":
        read_resumed(of_run, {})
    kept = [text for text in overrides if not is_of_hydra(text)]
    config = OmegaConf.to_container(composed_of(kept, config_name), resolve=False)
    assert isinstance(config, dict)
    check_resumed(of_run, {str(key): value for key, value in config.items()}, f"ckpt_path={checkpoint}")


def _check_named(overrides: list[str]) -> None:
    """Refuse a path that was left empty, as that of a shell's variable that is not set."""
    given = [text.lstrip("+").partition("=") for text in overrides]
    empty = [key for key, _, value in given if key in NAMING and not value.strip("'\"")]
    if empty:
        raise InputError(f"{', '.join(f'{key}=' for key in empty)} is empty; give a path, or leave it out")


def _check_output(folder: Path, name: str) -> None:
    """Refuse a folder that cannot be written, is a file, or has the results of another command, before Hydra does."""
    if name not in OF_A_FILE and (other := command_of(folder)) not in (None, name):
        raise InputError(f"output={folder} holds results of {other}; take another folder")
    try:
        check_writable(folder)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"output={folder} cannot be written ({reason}); give another folder, or make room") from error


def _prepare_sweep(overrides: list[str], config_name: str | None) -> Sweep:
    sweep = plan_sweep(overrides, lambda keys: compose(keys, "train", config_name).sweep.grid, config_name)
    jobs = sweep.jobs()
    trainer = _first_valid(jobs, sweep.config_name).trainer
    if trainer.fast_dev_run:
        from fetal_seg.cli.combinations import NOT_COMPARED  # help, which needs no schemas, is not to wait for them

        raise InputError(NOT_COMPARED)
    if trainer.strategy == "ddp" or any({"trainer=ddp", "++trainer.strategy=ddp"} & set(job) for job in jobs):
        raise InputError(
            "a sweep (-m) cannot use trainer=ddp, whose processes would each start the whole sweep again; "
            "take trainer=default, or one command for each job"
        )
    return replace(sweep, launcher=_launcher_of(sweep))


def _launcher_of(sweep: Sweep) -> "LauncherConfig | None":
    """Where the jobs of a sweep are submitted; None where it is a launcher of Hydra's that runs them.

    Raises:
        InputError: it cannot be used.
    """
    overrides = [*sweep.jobs()[0], *sweep.launcher_keys]
    composed = composed_of(overrides, sweep.config_name or "train", return_hydra_config=True)
    plain = OmegaConf.to_container(composed.hydra.launcher, resolve=True)
    if not isinstance(plain, dict) or "cluster" not in plain:
        return None
    from fetal_seg.cli.cluster import open_cluster
    from fetal_seg.cli.validation import validate
    from fetal_seg.config.launcher import LauncherConfig

    try:
        launcher = validate({str(key): value for key, value in plain.items()}, LauncherConfig, ())
    except InputError as error:
        raise InputError(f"hydra.launcher: {error}") from error
    open_cluster(launcher, sweep.folder)
    return launcher


def _first_valid(jobs: list[list[str]], config_name: str | None) -> "TrainConfig":
    """The configuration of the first job that can run; the others fail, each in its turn, without stopping it."""
    problems = []
    for job in jobs:
        try:
            return compose(job, "train", config_name)  # type: ignore[no-any-return]  # reason: the schema of that name
        except InputError as error:
            problems.append(error)
    raise problems[0]
