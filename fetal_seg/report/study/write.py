"""The report of any set of runs: ``summary.csv``, ``report.html`` and its figures."""

import csv
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fetal_seg.evaluation.contenders import DICE, MEASURES, contender
from fetal_seg.evaluation.costs import Cost, measure_costs
from fetal_seg.evaluation.runs import Run
from fetal_seg.evaluation.study import MODEL, Study, examine, interval_of
from fetal_seg.evaluation.tables import is_missed
from fetal_seg.files import whole_file, write_text
from fetal_seg.report.study import figures as sweep_plots
from fetal_seg.report.study.disagreement import draw_disagreements
from fetal_seg.report.study.page import Figure, render
from fetal_seg.report.style import series

logger = logging.getLogger(__name__)

BOUNDS = ("", "_low", "_high")
SUMMARY_COLUMNS = (
    *("status", "epochs", "minutes", "parameters", "val/dice"),
    *(f"{measure.column}{bound}" for measure in MEASURES for bound in BOUNDS),
    *("df_mm", "missed", "ms_per_image", "cause"),
)


def write_report(output: Path, runs: Sequence[Run], *, title: str, again: Sequence[str]) -> Path:
    """Write what a set of runs tells into `output`, even if none of them has a result; returns the page.

    Args:
        output: gets ``report.html``, which needs no other file, ``summary.csv`` with a row a run, ``effects.csv``
            with a row a level of each factor, and ``figures/``.
        runs: as `read_runs` gives them.
        title: of the page.
        again: the command lines that would give these runs again.
    """
    costs = measure_costs(run.checkpoint for run in runs if run.checkpoint.is_file())
    study = examine(runs, costs)
    write_summary(output / "summary.csv", study, costs)
    write_effects(output / "effects.csv", study)
    figures = draw_figures(study, output / "figures")
    entries = study.entries
    disagreements, no_pictures = draw_disagreements(
        [entry.contender for entry in entries], [entry.runs[0].checkpoint for entry in entries]
    )
    page = output / "report.html"
    write_text(page, render(study, figures, disagreements, no_pictures, title=title, again=again))
    logger.info("%d of %d runs compared", sum(len(entry.runs) for entry in entries), len(runs))
    return page


def write_summary(path: Path, study: Study, costs: dict[Path, Cost]) -> None:
    """Write a row a run: what was overridden, how far it came, and the means over all images that it measured."""
    keys = list(dict.fromkeys(key for run in study.runs for key in run.overrides if not key.startswith("hydra")))
    alone = {entry.runs[0].folder: entry for entry in study.entries if len(entry.runs) == 1}
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["job", *keys, *SUMMARY_COLUMNS])
        for run in study.runs:
            entry = alone.get(run.folder)
            reuse = entry is not None and len(entry.contender.examinations) == len(run.images)
            means = entry.means if entry is not None and reuse else None
            values = _summary(run, costs.get(run.checkpoint), means)
            own = [run.setting(key) for key in keys]
            writer.writerow([run.name, *map(_cell, own), *(_cell(values.get(column)) for column in SUMMARY_COLUMNS)])


def write_effects(path: Path, study: Study) -> None:
    """Write the marginal mean of each level of each factor with its interval, Dice in per cent, ADF in mm."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["factor", "level", "measure", "mean", "low", "high", "blocks", "images"])
        for effect in (effect for effects in study.effects.values() for effect in effects):
            for own in effect.levels:
                numbers = [f"{value:.4f}" for value in (own.mean, own.low, own.high)]
                writer.writerow([effect.factor, own.level, effect.measure.name, *numbers, effect.blocks, effect.images])


def draw_figures(study: Study, folder: Path) -> dict[str, Figure]:
    """Draw what there is to draw; the figures by name."""
    figures: dict[str, Figure] = {}

    def add(name: str, alt: str) -> Path:
        figures[name] = Figure(folder / f"{name}.png", alt)
        return figures[name].file

    for column, effects in study.effects.items():
        if effects:
            name = effects[0].measure.name
            sweep_plots.draw_effects(effects, add(f"effects_{column}", f"Mean {name} at each level of each factor"))
    curves = [run for run in study.runs if run.curves]
    places = {run.folder: place for place, run in enumerate(curves)}
    leaders = [
        (entry.contender.label, own)
        for entry in study.entries[:3]
        if (own := [places[run.folder] for run in entry.runs if run.folder in places])
    ]
    for measure in ("loss", "dice") if curves else ():
        file = add(f"learning_{measure}", f"Training and validation {measure} of each run against epochs")
        sweep_plots.draw_learning([run.curves for run in curves], leaders, measure, file)
    _draw_costs(study, add)
    return figures


def _draw_costs(study: Study, add: Any) -> None:
    place = study.factors.index(MODEL) if MODEL in study.factors else None
    priced = [(entry, entry.cost) for entry in study.entries if entry.cost is not None]
    if len(priced) < 2:
        return
    for name, heading in (("parameters", "parameters"), ("milliseconds", "milliseconds an image")):
        points = [
            sweep_plots.Priced(
                entry.contender.label,
                "" if place is None else str(entry.settings[place]),
                entry.means[DICE.column].mean,
                float(getattr(cost, name)),
            )
            for entry, cost in priced
        ]
        sweep_plots.draw_cost(points, heading, add(f"cost_{name}", f"Ellipse Dice against {heading}"))


def _summary(run: Run, cost: Cost | None, means: dict[str, Any] | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "status": run.status,
        "epochs": run.epochs,
        "minutes": run.minutes,
        "parameters": cost.parameters if cost else None,
        "ms_per_image": cost.milliseconds if cost else None,
        "val/dice": max(series(run.curves, "val/dice")[1], default=None),
        "cause": run.cause,
    }
    if not run.images:
        return values
    own = contender(run.name, [run.images])
    for measure in MEASURES:
        found = means.get(measure.column) if means is not None else interval_of(own, measure, 2000)
        if found is not None:
            numbers = (found.mean, found.low, found.high)
            values |= {f"{measure.column}{bound}": number / measure.scale
                       for bound, number in zip(BOUNDS, numbers, strict=True)}  # fmt: skip
    differences = [row["df_mm"] for row in run.images if row.get("df_mm") is not None and math.isfinite(row["df_mm"])]
    if differences:
        values["df_mm"] = sum(differences) / len(differences)
    return values | {"missed": sum(map(is_missed, run.images))}


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
