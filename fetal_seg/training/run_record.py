"""``run.json``: what ran, on what, from which code, and with what result."""

import contextlib
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from fetal_seg.files import write_text
from fetal_seg.models.processor import processor
from fetal_seg.version import __version__

PACKAGES = (
    "torch",
    "lightning",
    "hydra-core",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "albumentations",
    "torchmetrics",
)
TRACKERS = "trackers"


class RunRecord:
    """Collects what is to be known of a run and writes it, whole, each time something is added.

    Attributes:
        earlier_processes: how many trained together before the run went on; None where nothing says.
    """

    def __init__(self, file: Path, command_line: Sequence[str], **facts: Any) -> None:
        self._file, self._start = file, time.time()
        earlier = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        self._earlier_seconds = earlier.get("wall_time_s", 0.0)  # a resumed run's own
        self.earlier_processes: int | None = earlier.get("processes")
        self._content = {
            "status": "running",
            "started": earlier.get("started", time.strftime("%Y-%m-%dT%H:%M:%S%z")),
            "command": list(command_line),
            "git": git_state(Path(__file__).parent),
            "versions": {"fetal_seg": __version__, "python": platform.python_version(), **_versions()},
            "machine": machine(),
            **{key: earlier[key] for key in (TRACKERS,) if key in earlier},
            **facts,
        }
        self.add()

    @property
    def trackers(self) -> dict[str, dict[str, str]]:
        """What the run is known by to each tracker that has runs of its own, by the tracker's name."""
        return dict(self._content.get(TRACKERS, {}))

    def add(self, **facts: Any) -> None:
        """Add to the file; time and memory are brought up to date."""
        self._content |= facts
        self._content["wall_time_s"] = round(self._earlier_seconds + time.time() - self._start, 1)
        self._content["peak_memory_mib"] = round(peak_memory_mib(), 1)
        write_text(self._file, json.dumps(self._content, indent=2) + "\n")


def git_state(folder: Path) -> dict[str, Any]:
    """The commit of a checkout and whether it was changed; None where there is no git."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def machine() -> dict[str, Any]:
    """Processor, cores and GPUs."""
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "platform": platform.platform(),
        "processor": processor().name,
        "cores": torch.get_num_threads(),
        "gpus": gpus,
    }


def peak_memory_mib() -> float:
    """The most memory this process has held, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions
