"""A training whose processes torchrun or srun starts, on one machine or several, each with the same command line."""

from typing import TYPE_CHECKING

from fetal_seg.cli.overrides import last_value
from fetal_seg.config.processes import Starter
from fetal_seg.errors import InputError

if TYPE_CHECKING:
    from fetal_seg.config.training import TrainerConfig

OF_HELPERS = ("hydra.output_subdir=null", "hydra/job_logging=none")  # the first process writes both


def check_alone(together: Starter | None, what: str) -> None:
    """See that a command that is no single training was not started several times.

    Raises:
        InputError: it was.
    """
    if together is not None:
        raise InputError(
            f"{together.name} starts {together.processes} times the same {what}; give it one process (what several "
            "can do together is a training with trainer=ddp)"
        )


def check_together(trainer: "TrainerConfig", together: Starter | None) -> None:
    """See that the processes that were started are those that a training is to have.

    Raises:
        InputError: each would train alone, or there are more or fewer of them; or machines are asked for, and nobody
            starts processes there; or srun does not say how many there are on each machine.
    """
    if together is None:
        if trainer.num_nodes > 1:
            raise InputError(
                f"trainer.num_nodes={trainer.num_nodes} needs torchrun or srun, which starts the processes of each "
                "machine; see docs/scaling.md"
            )
    elif trainer.strategy != "ddp":
        raise InputError(
            f"{together.name} starts {together.processes} processes, which would each train alone; add trainer=ddp, "
            "or give it one process"
        )
    elif trainer.processes != together.processes:
        raise InputError(
            f"{together.name} starts {together.processes} processes, but trainer.devices={trainer.devices} on each of "
            f"trainer.num_nodes={trainer.num_nodes} machines are {trainer.processes}; change the one or the others"
        )
    elif not together.knows_machines:
        raise InputError(
            f"srun starts {together.processes} processes, but does not say how many on each machine; give it "
            f"--ntasks-per-node={trainer.devices} instead of --ntasks"
        )


def in_one_folder(overrides: list[str], together: Starter) -> list[str]:
    """The overrides with those that have only the first process write the configuration and the log.

    Raises:
        InputError: no folder is named, so that each process would take one of its own.
    """
    if not last_value(overrides, "hydra.run.dir"):
        raise InputError(
            f"each process of {together.name} would take a folder of its own; add hydra.run.dir=FOLDER, which all "
            "machines see"
        )
    return overrides if together.rank == 0 else [*overrides, *OF_HELPERS]
