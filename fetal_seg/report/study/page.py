"""The page of a report: one file that needs no network and no other file."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetal_seg.evaluation.disagreement import Disagreements
from fetal_seg.evaluation.effects import Effect
from fetal_seg.evaluation.metrics import ELLIPSE_DICE
from fetal_seg.evaluation.runs import Run, RunStatus
from fetal_seg.evaluation.study import Entry, Study, conclusions
from fetal_seg.evaluation.trade_offs import TradeOff, pareto_front
from fetal_seg.report.page import data_uri, environment
from fetal_seg.report.pictures import encode_disagreement
from fetal_seg.report.study.columns import COMPARISON_COLUMNS, ranking_columns


@dataclass(frozen=True)
class Illustration:
    """A PNG and what it shows, for those who do not see it."""

    file: Path
    alt: str

    @property
    def uri(self) -> str:
        """The picture itself, as a data URI."""
        return data_uri(self.file.read_bytes(), "image/png")


def render(
    study: Study,
    figures: dict[str, Illustration],
    disagreements: Disagreements,
    trials: Sequence[TradeOff] = (),
    *,
    title: str,
    again: Sequence[str],
) -> str:
    """The page as HTML; `trials` are those of a search with several objectives, by falling Dice."""
    runs = study.runs
    comparisons = [comparison for of_metric in study.comparisons.values() for comparison in of_metric]
    return environment().get_template("report.html.j2").render(
        title=title,
        conclusions=conclusions(study),
        measured=measured(study),
        figures=figures,
        ranking_columns=ranking_columns(study),
        ranking=study.entries,
        repeats=study.has_repeats,
        threads=study.costs.threads,
        effect_notes=[effect_note(effect) for effect in study.effects.get(ELLIPSE_DICE.column, [])],
        effect_images=_effect_images(study),
        left_out=[entry.contender.label for entry in study.entries if entry.contender.mostly_missed],
        comparison_columns=COMPARISON_COLUMNS,
        comparisons=comparisons,
        front=_front(study),
        trials=trials,
        best_trials=pareto_front([(trial.milliseconds, trial.dice) for trial in trials]),
        disagreements=disagreements.images,
        jpeg=lambda *shown: data_uri(encode_disagreement(*shown), "image/jpeg"),
        no_pictures=disagreements.why_none,
        without_result=[run for run in runs if run.status not in (RunStatus.FINISHED, RunStatus.PRUNED)],
        counts=", ".join(f"{count} {status}" for status, count in Counter(run.status for run in runs).items()),
        pruned=[run for run in runs if run.status == RunStatus.PRUNED],
        unmeasured=[run.name for run in runs if run.status == RunStatus.FINISHED and not run.images],
        again=again,
        commits=_from_records(runs, _commit),
        versions=_from_records(runs, _versions),
        machines=_from_records(runs, _machine),
        runs=runs,
        CUT_OFF=RunStatus.CUT_OFF,
    )  # fmt: skip


def measured(study: Study) -> list[str]:
    """What was measured, on how many images of which data, in sentences."""
    if not study.entries:
        return []
    fingerprints = {str(run.record.get("data_fingerprint")) for entry in study.entries for run in entry.runs}
    several = f"{len(fingerprints)} different sets of data"
    data = several if len(fingerprints) > 1 else f"data {fingerprints.pop()[:12]}"
    if not study.together:
        return [f"No image was measured by all contenders ({data}): each mean is over the contender's own images."]
    sentences = [f"Measured on {study.images} images of {study.examinations} examinations ({data})."]
    if study.measured > study.images:
        sentences.append(
            f"The runs were measured on different images, {study.measured} in all; "
            "everything below is of the images that all of them measured."
        )
    return sentences


def effect_note(effect: Effect) -> str:
    """Over what the marginal means of a factor are, or why there are none."""
    if not effect.levels:
        return f"{effect.factor}: no block is complete (no other settings were run at two levels), so no mean is shown."
    levels = "all levels" if not effect.dropped else " and ".join(mean.level for mean in effect.levels)
    note = f"{effect.factor}: {effect.blocks} complete block{'' if effect.blocks == 1 else 's'} of {levels}"
    return f"{note}; left out: {', '.join(effect.dropped)}." if effect.dropped else f"{note}."


def _effect_images(study: Study) -> str:
    """Over how many images the marginal means are."""
    sentences = []
    for effects in study.effects.values():
        counts = sorted({effect.images for effect in effects if effect.levels})
        if counts:
            number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            metric = effects[0].metric
            condition = "" if metric.is_overlap else ", in which all found a head"
            sentences.append(f"{metric.title} is over {number} images{condition}.")
    return " ".join(sentences)


def _front(study: Study) -> list[tuple[Entry, str]]:
    """The contenders that no other one beats in both Dice and a cost, with the costs they are on the front of."""
    priced = [entry for entry in study.entries if entry.cost is not None]
    fronts: dict[int, list[str]] = {}
    for attribute, heading in (("parameters", "parameters"), ("milliseconds", "time")):
        points = [(float(getattr(entry.cost, attribute)), entry.means[ELLIPSE_DICE.column].mean) for entry in priced]
        for index in pareto_front(points):
            fronts.setdefault(index, []).append(heading)
    return [(priced[index], " and ".join(fronts[index])) for index in sorted(fronts)]


def _from_records(runs: Sequence[Run], text: Callable[[dict[str, Any]], str]) -> list[str]:
    """What the runs' records say, each once."""
    return list(dict.fromkeys(value for run in runs if run.record and (value := text(run.record))))


def _commit(record: dict[str, Any]) -> str:
    git = record.get("git") or {}
    return f"{git['commit']}{' with local changes' if git.get('dirty') else ''}" if git.get("commit") else ""


def _versions(record: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())


def _machine(record: dict[str, Any]) -> str:
    machine = record.get("machine") or {}
    cores = f"{machine['cores']} thread{'' if machine['cores'] == 1 else 's'}" if "cores" in machine else ""
    return ", ".join(
        part for part in (machine.get("processor"), cores, *machine.get("gpus", []), machine.get("platform")) if part
    )
