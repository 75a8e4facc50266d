"""What ``search.py`` looks for, how long, and where its study is."""

from dataclasses import field
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from fetal_seg.config.extras import lacking
from fetal_seg.config.types import STRICT, Natural, Positive
from fetal_seg.errors import InputError

POSTGRESQL = "postgresql://"


def check_storage(storage: str) -> str:
    """The place of a study, if it can be one: the address of a PostgreSQL database, or the path of a journal.

    Raises:
        InputError: it cannot, or holds a password, which files and logs would show.
    """
    if not storage.startswith(POSTGRESQL):
        if "://" in storage or not storage.strip():
            kind = storage.partition("://")[0] or "nothing"
            raise InputError(f"{kind} is no storage; give {POSTGRESQL}USER@HOST/DATABASE, or the path of a journal")
        return storage
    try:
        parts = urlsplit(storage)
        has_password = parts.password is not None or "password" in parse_qs(parts.query)
        database, _ = parts.path.strip("/"), parts.port
    except ValueError as error:
        raise InputError(f"that is no address ({error}); give {POSTGRESQL}USER@HOST:PORT/DATABASE") from error
    if has_password:
        raise InputError(
            "the address holds a password, which logs and pages would show; leave it out, and give it by PGPASSWORD or "
            "~/.pgpass"
        )
    if not database:
        raise InputError(f"{storage} names no database; give {POSTGRESQL}USER@HOST/DATABASE")
    return storage


Storage = Annotated[str, AfterValidator(check_storage)]
SamplerName = Literal["tpe", "random", "gp", "cmaes"]
PrunerName = Literal["median", "percentile", "hyperband", "successive_halving", "none"]
Objective = Literal["dice", "milliseconds"]
DICE: Objective = "dice"
MILLISECONDS: Objective = "milliseconds"


def check_objectives(objectives: list[Objective]) -> list[Objective]:
    """The objectives, if Dice is the first and none comes twice.

    Raises:
        InputError: they are not so.
    """
    if objectives[0] != DICE or len(set(objectives)) < len(objectives):
        given = ",".join(objectives)
        raise InputError(f"[{given}] cannot be; give [{DICE}], or [{DICE},{MILLISECONDS}]")
    return objectives


Objectives = Annotated[list[Objective], Field(min_length=1), AfterValidator(check_objectives)]


@dataclass(config=STRICT, kw_only=True)
class RangeConfig:
    """Numbers from low to high that a search may take; whole ones where both ends are."""

    low: int | float
    high: int | float
    log: bool = False


@dataclass(config=STRICT, kw_only=True)
class SearchSettings:
    """What ``search.py`` looks for, and how long."""

    space: dict[str, list[bool | int | float | str] | RangeConfig] = field(default_factory=dict)
    trials: Positive = 50
    workers: Positive = 1
    storage: Storage | None = None
    heartbeat: Annotated[int, Field(ge=1, le=3600)] = 60
    objectives: Objectives = field(default_factory=lambda: [DICE])
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "median"
    startup_trials: Natural = 6

    @property
    def is_in_database(self) -> bool:
        """Whether the study is in a PostgreSQL database."""
        return self.storage is not None and self.storage.startswith(POSTGRESQL)

    @property
    def has_several_objectives(self) -> bool:
        """Whether trials are also compared by what their network costs; none of them can be pruned then."""
        return len(self.objectives) > 1

    @property
    def grace_s(self) -> int:
        """How long a worker may be silent before it is taken for dead, seconds."""
        return 2 * self.heartbeat


def search_problems(settings: SearchSettings) -> list[str]:
    """What a search needs and is not installed, and what does not go together, a sentence each."""
    problems = []
    if settings.is_in_database:
        problems += lacking(f"search.storage={POSTGRESQL}", ("psycopg",), "postgresql")
    if settings.sampler == "cmaes":
        problems += lacking("search.sampler=cmaes", ("cmaes",), "cmaes")
    if settings.sampler == "cmaes" and settings.has_several_objectives:
        problems.append("search.sampler=cmaes knows one objective; take tpe, gp or random, or search.objectives=[dice]")
    return problems
