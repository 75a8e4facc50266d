"""The schema of what runs the jobs of a sweep outside the command: SLURM, or processes of this machine."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.types import STRICT, Natural, Positive

Text = Annotated[str, Field(min_length=1)]


@dataclass(config=STRICT, kw_only=True)
class LauncherConfig:
    """How jobs are submitted; most keys are submitit's and ``sbatch``'s.

    Attributes:
        cluster: ``local`` starts processes of this machine.
        partition, account, qos, constraint: None for what the cluster chooses.
        timeout_min: of a job, minutes; one that needs longer is queued again from its checkpoint.
        signal_delay_s: how long before its end a job is told, seconds; SLURM may do so up to 60 s earlier.
        mem_gb: None for what the cluster chooses.
        array_parallelism: jobs that run at once, at most.
        setup: commands of the shell before each job.
        additional_parameters: of ``sbatch``, by name.
    """

    cluster: Literal["slurm", "local"] = "slurm"
    partition: Text | None = None
    account: Text | None = None
    qos: Text | None = None
    constraint: Text | None = None
    timeout_min: Positive = 240
    signal_delay_s: Positive = 120
    cpus_per_task: Positive = 2
    gpus_per_node: Natural = 0
    mem_gb: Annotated[float, Field(gt=0)] | None = None
    array_parallelism: Positive = 16
    setup: list[Text] = field(default_factory=list)
    additional_parameters: dict[str, str | int | float | bool] = field(default_factory=dict)
