"""What accuracy.md, measurement.md and the model card say of the cross-validation and of HC18's test set."""

import contextlib
import io
from collections.abc import Iterator, Sequence

import numpy as np

from fetal_seg.evaluation.clustered_statistics import describe
from fetal_seg.files import read_csv
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement.biometry import trimester
from studies import doubts
from tools.quoted.quote import DOCS, Quote, of_summary, plus, row_of

SOURCE, SUBMISSION = "docs/accuracy/crossvalidation.csv", "docs/measurement/submission.csv"
ACCURACY, MEASUREMENT, CARD = "docs/accuracy.md", "docs/measurement.md", "docs/model_card.md"
FRACTIONS = (0, 5, 25, 50, 75, 95, 100)
ROWS = {  # of the table of doubts: the page's words for what the study prints
    "scale of the interval: (1 - confidence) sqrt(HC)": "scale of the interval: (1 − confidence) · √HC",
    "(1 - confidence) HC": "(1 − confidence) · HC",
    "unsure: 1 - confidence": "unsure: 1 − confidence",
    "ellipse and mask disagree: 1 - Dice": "ellipse and mask disagree",
    "level spread, mm": "level spread: circumferences at a probability of 0.25, 0.5 and 0.75",
    "edge, mm": "width of the edge, mm; that of its worst part",
    "edge of the worst sectors, mm": "width of the edge, mm; that of its worst part",
    "flip spread, mm": "spread of the four flips",
    "width of the interval, mm": "width of the interval",
}
NOT_QUOTED = "edge, mm, times sqrt(HC)"


def quotes() -> Iterator[Quote]:
    """Each figure that follows from the table of the 999 images, or from the 335 ellipses."""
    yield from _errors()
    yield from _doubts()
    yield from _test_set()


def _errors() -> Iterator[Quote]:
    images = doubts.read_doubts(DOCS / "accuracy" / "crossvalidation.csv")
    df = np.array([image.hc_pred - image.hc_true for image in images])
    groups = [image.examination for image in images]
    missed = int(np.isnan(df).sum())
    adf = describe(np.abs(df), groups)
    yield Quote(ACCURACY, f"| {of_summary(adf)} |", SOURCE, "| ADF, mm | 1.5")
    yield Quote(ACCURACY, f"| {of_summary(describe(df, groups))} |", SOURCE, "| DF, mm | within")
    yield Quote(ACCURACY, row_of(["missed heads", "0", "0", str(missed)]), SOURCE, "| missed heads |")  # goal, the 200
    yield Quote(ACCURACY, f"and {adf['median']:.2f} mm", SOURCE, "- Medians over the 200 and the 999 images")
    thirds = np.array([trimester(image.hc_true) for image in images])
    by_trimester = [np.abs(df[thirds == number]).mean() for number in (1, 2, 3)]
    yield Quote(ACCURACY, f"By trimester the ADF is {_listed(by_trimester)} mm", SOURCE)
    biases = [df[thirds == number].mean() for number in (1, 2, 3)]
    yield Quote(ACCURACY, "the DF {}, {} and {} mm".format(*map(plus, biases)), SOURCE)
    folds = np.array([image.fold for image in images])
    by_fold = [np.abs(df[folds == fold]).mean() for fold in range(5)]
    yield Quote(ACCURACY, f"{_listed(by_fold)} mm. They took", SOURCE)


def _doubts() -> Iterator[Quote]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        doubts.main(["unused", str(DOCS / "accuracy" / "crossvalidation.csv")])
    sentence, *_ = [line for line in printed.getvalue().splitlines() if line.startswith("the worst tenth holds")]
    yield Quote(ACCURACY, sentence.removeprefix("the ").split(";")[0], SOURCE)
    tables = [line.strip("| ").split(" | ") for line in printed.getvalue().splitlines() if line.startswith("| ")]
    held = {cells[0]: cells[1:] for cells in tables}
    for name in (name for name in held if len(held[name]) == 3 and held[name][0].isdecimal()):
        if name.startswith(("all", "trimester")):
            continue
        if name != NOT_QUOTED:
            title = ROWS.get(name, name)
            yield Quote(ACCURACY, row_of([title, *held[name]]).replace("-", "−"), SOURCE, f"| {title} ")
    coverage = [held[name][1] for name in ("all", "trimester 1", "trimester 2", "trimester 3")]
    widths = [held[name][2] for name in ("all", "trimester 1", "trimester 2", "trimester 3")]
    shown = f"{widths[0]} ({', '.join(widths[1:])} by trimester)"
    name = f"cross-validation, {held['all'][0]} images, cross-fitted"
    yield Quote(MEASUREMENT, row_of([name, *coverage, shown]), SOURCE, f"| {name} ")
    by_trimester = "{}, {} and {} by trimester".format(*coverage[1:])
    yield Quote(CARD, f"On those images they hold {coverage[0]} % ({by_trimester})", SOURCE)


def _test_set() -> Iterator[Quote]:
    predicted = [
        Ellipse(*(float(row[column]) for column in columns)).circumference
        for columns in [("center_x_mm", "center_y_mm", "semi_axes_a_mm", "semi_axes_b_mm", "angle_rad")]
        for row in read_csv(DOCS / "measurement" / "submission.csv")
    ]
    true = [float(row["hc_true"]) for row in read_csv(DOCS / "accuracy" / "crossvalidation.csv")]
    for name, values, source in (("test set, predicted", predicted, SUBMISSION), ("training set, true", true, SOURCE)):
        cells = [f"{value:.1f}" for value in np.percentile(values, FRACTIONS)]
        yield Quote(MEASUREMENT, row_of([f"{name}, n = {len(values)}", *cells]), source, f"| {name}")


def _listed(values: Sequence[float]) -> str:
    *first, last = (f"{value:.2f}" for value in values)
    return f"{', '.join(first)} and {last}"
