"""The report of any set of runs: ``summary.csv``, ``report.html`` and its figures."""

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.disagreement import Disagreements
from fetal_seg.evaluation.metrics import COMPARED, ELLIPSE_DICE
from fetal_seg.evaluation.runs import Run
from fetal_seg.evaluation.study import MODEL, Interval, Study, interval_of
from fetal_seg.evaluation.tables import Row, is_missed, write_rows
from fetal_seg.evaluation.trade_offs import TradeOff
from fetal_seg.files import remove_partial_files, write_text
from fetal_seg.report.study.figures import Priced, draw_cost, draw_effects, draw_learning
from fetal_seg.report.study.page import Illustration, render
from fetal_seg.report.style import series

logger = logging.getLogger(__name__)


def write_study(
    output: Path,
    study: Study,
    disagreements: Disagreements,
    trials: Sequence[TradeOff] = (),
    *,
    title: str,
    again: Sequence[str],
) -> Path:
    """Write what a set of runs tells into `output`, even if none of them has a result; returns the page.

    Args:
        trials: of a search with several objectives.
        output: gets ``report.html``, which needs no other file, ``summary.csv`` with a row a run, ``effects.csv``
            with a row a level of each factor, and ``figures/``.
    """
    write_run_table(output / "summary.csv", study)
    write_effects(output / "effects.csv", study)
    remove_partial_files(output / "figures")  # of a report that was killed
    figures = draw_figures(study, output / "figures")
    trials = sorted(trials, key=lambda trial: -trial.dice)
    if trials:
        figures["trials"] = Illustration(
            output / "figures" / "trials.png", "Validation Dice of each trial against time"
        )
        points = [Priced(trial.job, "", 100 * trial.dice, trial.milliseconds) for trial in trials]
        draw_cost(points, "milliseconds an image", figures["trials"].file, "validation Dice, %")
    page = output / "report.html"
    write_text(page, render(study, figures, disagreements, trials, title=title, again=again))
    logger.info("%d of %d runs compared", sum(len(entry.runs) for entry in study.entries), len(study.runs))
    return page


def write_run_table(path: Path, study: Study) -> None:
    """Write a row a run: what was overridden, how far it came, and the means over all images that it measured."""
    keys = list(dict.fromkeys(key for run in study.runs for key in run.overrides if not key.startswith("hydra")))
    rows = [{"job": run.name, **{key: run.setting(key) for key in keys}, **_summary(run, study)} for run in study.runs]
    write_rows(path, list(rows[0]), rows)


def write_effects(path: Path, study: Study) -> None:
    """Write the marginal mean of each level of each factor with its interval, Dice in per cent, ADF in mm."""
    columns = ("factor", "level", "measure", "mean", "low", "high", "blocks", "images")
    rows = [
        {"factor": effect.factor, "level": level.level, "measure": effect.metric.heading}
        | {"mean": f"{level.mean:.4f}", "low": f"{level.low:.4f}", "high": f"{level.high:.4f}"}
        | {"blocks": effect.blocks, "images": effect.images}
        for effects in study.effects.values()
        for effect in effects
        for level in effect.levels
    ]
    write_rows(path, columns, rows)


def draw_figures(study: Study, folder: Path) -> dict[str, Illustration]:
    """Draw what there is to draw; the figures by name."""
    figures: dict[str, Illustration] = {}

    def add(name: str, alt: str) -> Path:
        figures[name] = Illustration(folder / f"{name}.png", alt)
        return figures[name].file

    for column, effects in study.effects.items():
        if effects:
            draw_effects(
                effects, add(f"effects_{column}", f"Mean {effects[0].metric.heading} at each level of each factor")
            )
    runs = [run for run in study.runs if run.curves]
    positions = {run.folder: position for position, run in enumerate(runs)}
    leaders = []
    for entry in study.entries[:3]:
        if curves := [positions[run.folder] for run in entry.runs if run.folder in positions]:
            leaders.append((entry.contender.label, curves))
    for name in ("loss", "dice") if runs else ():
        file = add(f"learning_{name}", f"Training and validation {name} of each run against epochs")
        draw_learning([run.curves for run in runs], leaders, name, file)
    _draw_costs(study, add)
    return figures


def _draw_costs(study: Study, add: Callable[[str, str], Path]) -> None:
    model = study.factors.index(MODEL) if MODEL in study.factors else None
    priced = [(entry, entry.cost) for entry in study.entries if entry.cost is not None]
    if len(priced) < 2:
        return
    for attribute, heading in (("parameters", "parameters"), ("milliseconds", "milliseconds an image")):
        points = [
            Priced(
                entry.contender.label,
                "" if model is None else str(entry.settings[model]),
                entry.means[ELLIPSE_DICE.column].mean,
                float(getattr(cost, attribute)),
            )
            for entry, cost in priced
        ]
        draw_cost(points, heading, add(f"cost_{attribute}", f"Ellipse Dice against {heading}"))


def _summary(run: Run, study: Study) -> Row:
    """The columns of ``summary.csv`` that are no settings; to add one is a line here."""
    cost, means = study.costs.first_of([run]), _means(run, study)
    errors = [row["df_mm"] for row in run.images if row.get("df_mm") is not None and math.isfinite(row["df_mm"])]
    row: Row = {
        "status": run.status,
        "epochs": run.epochs,
        "minutes": run.minutes,
        "parameters": cost and cost.parameters,
        "val/dice": max(series(run.curves, "val/dice")[1], default=None),
    }
    for metric in COMPARED:
        interval = means.get(metric.column)
        for suffix, end in (("", "mean"), ("_low", "low"), ("_high", "high")):
            row[metric.column + suffix] = interval and getattr(interval, end) / metric.scale
    return row | {
        "df_mm": sum(errors) / len(errors) if errors else None,
        "missed": sum(map(is_missed, run.images)) if run.images else None,
        "ms_per_image": cost and cost.milliseconds,
        "cause": run.cause,
    }


def _means(run: Run, study: Study) -> dict[str, Interval | None]:
    """Of all images that the run measured: as in the ranking, where that is of this run and of all of them."""
    if not run.images:
        return {}
    for entry in study.entries:
        alone = [other.folder for other in entry.runs] == [run.folder]
        if alone and len(entry.contender.examinations) == len(run.images):
            return dict(entry.means)
    contender = average_repeats(run.name, [run.images])
    return {metric.column: interval_of(contender, metric, 2000) for metric in COMPARED}
