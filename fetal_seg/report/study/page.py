"""The page of a report: one file that needs no network and no other file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetal_seg.evaluation.comparison import Comparison, p_text, signed
from fetal_seg.evaluation.contenders import ADF, DICE, HD
from fetal_seg.evaluation.effects import Effect
from fetal_seg.evaluation.labels import short
from fetal_seg.evaluation.runs import CUT_OFF, FINISHED, PRUNED, Run
from fetal_seg.evaluation.study import Entry, Study, conclusions
from fetal_seg.report.page import Cell, data_uri, environment
from fetal_seg.report.study.disagreement import Disagreement
from fetal_seg.report.study.figures import pareto_front

SHOWN = (DICE, ADF, HD)  # of the ranking


@dataclass(frozen=True)
class Figure:
    """A PNG and what it shows, for those who do not see it."""

    file: Path
    alt: str

    @property
    def uri(self) -> str:
        """The picture itself, as a data URI."""
        return data_uri(self.file.read_bytes(), "image/png")


def render(
    study: Study,
    figures: dict[str, Figure],
    disagreements: Sequence[Disagreement],
    no_pictures: str,
    *,
    title: str,
    again: Sequence[str],
) -> str:
    """The page as HTML.

    Args:
        study: what the runs tell.
        figures: those that were drawn, by name.
        disagreements: images with predictions.
        no_pictures: why there are none.
        title: of the page.
        again: command lines.
    """
    comparisons = [each for own in study.comparisons.values() for each in own]
    templates = environment()
    templates.filters["jpeg"] = lambda content: data_uri(content, "image/jpeg")
    return templates.get_template("report.html.j2").render(
        title=title,
        conclusions=conclusions(study),
        measured=measured(study),
        figures=figures,
        ranking_head=_ranking_head(study),
        ranking=[_ranking_row(study, rank, entry) for rank, entry in enumerate(study.entries, start=1)],
        repeats=_has_repeats(study),
        threads=_threads(),
        effect_notes=[note for effect in study.effects.get(DICE.column, []) if (note := effect_note(effect))],
        effect_images=_effect_images(study),
        left_out=[entry.contender.label for entry in study.entries if entry.contender.mostly_missed],
        comparisons=[_comparison_row(each) for each in comparisons],
        sentences=[each.sentence for each in comparisons],
        front=_front(study),
        disagreements=disagreements,
        no_pictures=no_pictures,
        without_result=[run for run in study.runs if run.status not in (FINISHED, PRUNED)],
        counts=_counts(study.runs),
        pruned=[run for run in study.runs if run.status == PRUNED],
        unmeasured=[run.name for run in study.runs if run.status == FINISHED and not run.images],
        again=again,
        commits=_values(study.runs, _commit),
        versions=_values(study.runs, _versions),
        machines=_values(study.runs, _machine),
        runs=study.runs,
        CUT_OFF=CUT_OFF,
    )  # fmt: skip


def measured(study: Study) -> list[str]:
    """What was measured, on how many images of which data, in sentences."""
    if not study.entries:
        return []
    fingerprints = {str(run.record.get("data_fingerprint")) for entry in study.entries for run in entry.runs}
    data = (
        f"data {next(iter(fingerprints))[:12]}"
        if len(fingerprints) == 1
        else f"{len(fingerprints)} different sets of data"
    )
    if not study.together:
        return [f"No image was measured by all contenders ({data}): each mean is over the contender's own images."]
    told = [f"Measured on {study.images} images of {study.examinations} examinations ({data})."]
    if study.measured > study.images:
        told.append(
            f"The runs were measured on different images, {study.measured} in all; "
            "everything below is of the images that all of them measured."
        )
    return told


def effect_note(effect: Effect) -> str:
    """Over what the marginal means of a factor are, or why there are none."""
    if not effect.levels:
        return f"{effect.factor}: no block is complete (no other settings were run at two levels), so no mean is shown."
    levels = "all levels" if not effect.dropped else " and ".join(each.level for each in effect.levels)
    note = f"{effect.factor}: {effect.blocks} complete block{'' if effect.blocks == 1 else 's'} of {levels}"
    return f"{note}; left out: {', '.join(effect.dropped)}." if effect.dropped else f"{note}."


def _effect_images(study: Study) -> str:
    """Over how many images the marginal means are."""
    told = []
    for effects in study.effects.values():
        counts = sorted({each.images for each in effects if each.levels})
        if counts:
            number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            measure = effects[0].measure
            found = ", in which all found a head" if measure.own_unit == "mm" else ""
            told.append(f"{measure.title} is over {number} images{found}.")
    return " ".join(told)


def _ranking_head(study: Study) -> list[str]:
    keys = [short(key, study.factors) for key in study.factors] or ["run"]
    runs = ["runs"] if _has_repeats(study) else []
    measures = [f"{measure.name} [95 %]" for measure in SHOWN]
    return ["rank", *keys, *runs, *measures, "missed", "parameters", "ms an image", "epochs", "minutes"]


def _ranking_row(study: Study, rank: int, entry: Entry) -> list[Cell]:
    settings = [_value(value) for value in entry.settings] or [Cell(entry.contender.label)]
    cells = [_number(rank, "{:.0f}"), *settings]
    if _has_repeats(study):
        cells.append(_number(len(entry.runs), "{:.0f}"))
    means = [entry.means.get(measure.column) for measure in SHOWN]
    cells += [Cell(str(found), found.mean, True) if found else _number(None, "") for found in means]
    cells.append(_number(entry.missed, "{:.3g}"))
    cells.append(_number(entry.cost.parameters if entry.cost else None, "{:,.0f}"))
    cells.append(_number(entry.cost.milliseconds if entry.cost else None, "{:.1f}"))
    return [*cells, _number(entry.epochs, "{:.3g}"), _number(entry.minutes, "{:.1f}")]


def _has_repeats(study: Study) -> bool:
    return any(len(entry.runs) > 1 for entry in study.entries)


def _comparison_row(comparison: Comparison) -> list[Cell]:
    found = comparison.difference is not None
    interval = f"{signed(comparison.low)} to {signed(comparison.high)}" if found else "–"
    return [
        Cell(comparison.second),
        Cell(comparison.measure.title),
        Cell(comparison.verdict),
        Cell(signed(comparison.difference or 0.0), comparison.difference, True) if found else _number(None, ""),
        Cell(interval, comparison.low if found else None, True),
        Cell(_p(comparison.p) if found else "–", comparison.p if found else None, True),
        Cell(_p(comparison.p_holm) if found else "–", comparison.p_holm if found else None, True),
    ]


def _front(study: Study) -> list[dict[str, Any]]:
    """The contenders that no other one beats in both Dice and a cost, with the costs they are on the front of."""
    entries = [entry for entry in study.entries if entry.cost is not None]
    fronts: dict[int, list[str]] = {}
    for name, heading in (("parameters", "parameters"), ("milliseconds", "time")):
        for place in pareto_front(
            [(float(getattr(each.cost, name)), each.means[DICE.column].mean) for each in entries]
        ):
            fronts.setdefault(place, []).append(heading)
    return [
        {
            "rank": study.entries.index(entries[place]) + 1,
            "label": entries[place].contender.label,
            "dice": signed(entries[place].means[DICE.column].mean),
            "cost": entries[place].cost,
            "fronts": " and ".join(fronts[place]),
        }
        for place in sorted(fronts)
    ]


def _counts(runs: Sequence[Run]) -> str:
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.status] = counts.get(run.status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def _values(runs: Sequence[Run], of: Any) -> list[str]:
    return list(dict.fromkeys(value for run in runs if run.record and (value := of(run.record))))


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


def _value(text: str | None) -> Cell:
    """A setting; numbers are sorted as numbers."""
    if text is None:
        return Cell("–")
    try:
        return Cell(text, float(text), True)
    except ValueError:
        return Cell(text)


def _number(value: float | None, form: str) -> Cell:
    return Cell("–", None, True) if value is None else Cell(form.format(value), float(value), True)


def _p(p: float) -> str:
    return p_text(p).removeprefix("p = ").removeprefix("p ")


def _threads() -> int:
    import torch

    return torch.get_num_threads()
