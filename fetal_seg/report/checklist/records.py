"""What a run left of itself, as far as a checklist asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetal_seg.errors import InputError
from fetal_seg.evaluation.runs import Run, RunStatus, read_own_json, read_own_yaml

CONFIG = ".hydra/config.yaml"
SPLIT = "split.json"
RECORD = "run.json"
CURVES = "metrics.csv"
SUMMARY = "evaluation/summary.json"
PER_IMAGE = "evaluation/per_image.csv"
EXTERNAL = "external/summary.json"  # of the user's own images, by the command that the checklist names

Content = Mapping[str, Any]
Typed = Callable[..., str]  # a command's name and its arguments, as the user types them


@dataclass(frozen=True)
class Weights:
    """What a checkpoint says of itself.

    Attributes:
        file: within the run's folder.
        sha256: of the file, in hexadecimal.
        size_mb: of the file, in millions of bytes.
        parameters: trained numbers.
        height, width: the network's size, px.
        mean, std: of the grey values, 0 to 1, that become 0 and 1.
        calibrated: images whose errors its 90 % intervals are made of; None where it has none.
        gate: heads and images of other planes that its head gate was fitted on; None where it has none.
    """

    file: str
    sha256: str
    size_mb: float
    parameters: int
    height: int
    width: int
    mean: float
    std: float
    calibrated: int | None
    gate: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one run; those that are not there are empty, `weights` None.

    Attributes:
        run: its folder, status, curves and images.
        config: the content of ``.hydra/config.yaml``.
        split: that of ``split.json``.
        summary: that of ``evaluation/summary.json``.
        external: the same of images of others.
        command: the command line that began it; "" where it is not known.
        again: the command line that asks for the checklist.
        typed: spells a command line.
    """

    run: Run
    config: Content
    split: Content
    summary: Content
    external: Content
    weights: Weights | None
    command: str
    again: str
    typed: Typed

    def chosen(self, group: str) -> Content:
        """The keys of a configuration group."""
        keys = self.config.get(group)
        return keys if isinstance(keys, Mapping) else {}

    def to_finish(self) -> str:
        """The command line that brings the run to its end; of one that runs, the same again when it has ended."""
        if self.run.status == RunStatus.RUNNING:
            return self.again
        if (self.run.folder / "checkpoints" / "last.ckpt").is_file() and self.run.status != RunStatus.FINISHED:
            return self.typed("train", f"resume={self.run.folder}")
        return self.command or self.typed("train", *(f"{key}={value}" for key, value in self.run.overrides.items()))

    def to_evaluate(self, folder: str, *keys: str) -> str:
        """The command line that measures its checkpoint into a folder within its own; else the one that makes it."""
        if not self.run.checkpoint.is_file() or self.run.status != RunStatus.FINISHED:
            return self.to_finish()
        return self.typed("evaluate", f"ckpt={self.run.checkpoint}", *keys, f"output={self.run.folder / folder}")


def read_records(run: Run, weights: Weights | None, *, command: str, again: str, typed: Typed) -> Records:
    """The records in a run's folder.

    Raises:
        InputError: one of them is damaged.
    """
    finished = run.status == RunStatus.FINISHED
    return Records(
        run,
        read_own_yaml(run.folder / CONFIG),
        _checked(run.folder / SPLIT, "train", "val", "examinations"),
        _checked(run.folder / SUMMARY, "n", "by_trimester") if finished else {},
        _checked(run.folder / EXTERNAL, "n", "by_trimester") if finished else {},
        weights,
        command,
        again,
        typed,
    )


def _checked(file: Path, *keys: str) -> Content:
    content = read_own_json(file)
    if content and (lacking := [key for key in keys if key not in content]):
        raise InputError(f"{file} is damaged: it has no {', '.join(lacking)}; restore it, or remove it")
    return content
