"""The processor that networks run on: what it is called, what it can do, and how many of its cores are ours."""

import hashlib
import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

KIND = (
    "vendor_id",
    "cpu family",
    "model",
    "model name",
    "flags",
    "CPU implementer",
    "CPU part",
    "Features",
)  # of Linux


@dataclass(frozen=True)
class Processor:
    """A processor.

    Attributes:
        name: as its maker calls it.
        instructions: its instruction sets, as Linux names them; none where the system does not list them.
        kind: a digest of its maker, model and instruction sets: processors of one kind compute alike.
    """

    name: str
    instructions: frozenset[str]
    kind: str


@cache
def processor() -> Processor:
    """This machine's."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    entries = {(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)}
    told = sorted((key, value) for key, value in entries if key in KIND)
    instructions = {name for key, value in told if key in ("flags", "Features") for name in value.split()}
    name = next((value for key, value in told if key == "model name"), platform.processor())
    kind = repr([platform.system(), platform.machine(), platform.processor(), told])
    return Processor(name, frozenset(instructions), hashlib.sha256(kind.encode()).hexdigest()[:16])


def usable_cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
