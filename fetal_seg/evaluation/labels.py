"""What tells runs apart: the settings in which they differ, and short names made of these."""

from collections.abc import Iterable, Sequence

from fetal_seg.evaluation.runs import Run

Settings = tuple[str | None, ...]  # the value of each of some keys; None where a run has no such key

REPLICATES = ("seed", "data.fold")  # runs that differ in these alone are repeats of one another
# Keys that change where or how fast a run runs, but not what it is
NOT_OF_INTEREST = {
    *("experiment", "ckpt_path", "evaluate", "data.root", "data.cache_dir", "data.download", "data.workers"),
    *("trainer.progress_bar", "trainer.log_images", "trainer.threads", "model.compile", "checkpoint"),
}


def factors(runs: Sequence[Run]) -> list[str]:
    """The keys in which runs differ, other than repeats: first the overridden ones, in the order given.

    Values that only the configuration's files set are added where they alone tell two runs apart.
    """
    overridden = dict.fromkeys(key for run in runs for key in run.overrides if is_of_interest(key))
    varying = [key for key in overridden if len(_levels(runs, key)) > 1]
    groups = alike((run for run in runs if run.config), varying)
    hidden = dict.fromkeys(key for group in groups.values() for key in _hidden(group))
    return varying + list(hidden)


def _hidden(runs: Sequence[Run]) -> list[str]:
    """Choices in which runs of the same overrides differ, and keys in which runs of the same choices do."""
    chosen = sorted(group for group in runs[0].choices if is_of_interest(group) and len(_levels(runs, group)) > 1)
    if chosen:
        return chosen + [key for group in alike(runs, chosen).values() for key in _hidden(group)]
    keys = dict.fromkeys(key for run in runs for key in run.config if is_of_interest(key))
    return [key for key in keys if len(_levels(runs, key)) > 1]


def alike(runs: Iterable[Run], keys: Sequence[str]) -> dict[Settings, list[Run]]:
    """The runs of each combination of these keys' values, in the order given."""
    groups: dict[Settings, list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(run.setting(key) for key in keys), []).append(run)
    return groups


def is_of_interest(key: str) -> bool:
    """Whether a key says what a run is: not where it runs, nor that it is a repeat."""
    of_tools = key.startswith(("hydra", "sweep", "search", "logger"))
    return not of_tools and key not in NOT_OF_INTEREST and key not in REPLICATES


def label(run: Run, keys: Sequence[str]) -> str:
    """What tells a run from others, in short: ``unet, depth 4, adamw``; its name where no key does."""
    parts = [described(run, key, keys) for key in keys]
    return ", ".join(part for part in parts if part) or run.name


def described(run: Run, key: str, keys: Sequence[str]) -> str:
    """One setting in short: a group's choice alone, another key as its name and value; "" where it has none."""
    value = run.setting(key)
    if value is None:
        return ""
    return value if "." not in key else f"{short(key, keys)} {value}"


def short(key: str, keys: Sequence[str]) -> str:
    """The last part of a dotted key, with the one before where that alone is not clear."""
    parts = key.split(".")
    clear = parts[-1] not in {"enabled", "name"} and sum(other.split(".")[-1] == parts[-1] for other in keys) < 2
    return parts[-1] if clear else ".".join(parts[-2:])


def _levels(runs: Iterable[Run], key: str) -> set[str | None]:
    """Values of a key; a job that was not started does not tell what it would have had by default."""
    return {run.setting(key) for run in runs if run.config or run.setting(key) is not None}
