"""Which of the processes that train together this one is, by what whoever started it left in the environment."""

import os
from dataclasses import dataclass

_OF_SRUN = "SLURM_STEP_NUM_TASKS"  # of this call of srun; its job may have more
_OF_TORCHRUN = "TORCHELASTIC_RUN_ID"


@dataclass(frozen=True)
class Starter:
    """A program that starts all processes of a training, each with the same command line.

    Attributes:
        name: of the program.
        processes: that it started, on all machines.
        rank: of this one, from 0.
        knows_machines: whether it tells each process how many of them are on its machine, which Lightning asks for.
    """

    name: str
    processes: int
    rank: int
    knows_machines: bool = True


def starter() -> Starter | None:
    """What started this process together with others; None where it was started alone, or by the first of them."""
    if _OF_TORCHRUN in os.environ:
        return Starter("torchrun", int(os.environ["WORLD_SIZE"]), int(os.environ["RANK"]))
    if (tasks := int(os.environ.get(_OF_SRUN, "1"))) > 1:
        rank = int(os.environ.get("SLURM_PROCID", "0"))
        return Starter("srun", tasks, rank, knows_machines="SLURM_NTASKS_PER_NODE" in os.environ)
    return None


def is_first_process() -> bool:
    """Whether this process writes the files, where several train together."""
    together = starter()
    return (together.rank if together else int(os.environ.get("LOCAL_RANK", "0"))) == 0
