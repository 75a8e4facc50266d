"""What study.md says, from the tables of the study."""

from collections.abc import Iterator, Sequence

from fetal_seg.files import read_csv
from tools.quoted.quote import DOCS, Quote, interval, plus, row_of

PAGE, FOLDER = "docs/study.md", "docs/study"
Rows = list[dict[str, str]]


def quotes() -> Iterator[Quote]:
    """Each figure of the four tables that the page has."""
    yield from _finalists(_rows("finalists"))
    yield from _seeds(_rows("seeds"))
    yield from _effects(_rows("effects"))
    yield from _grid(_rows("grid"))


def _rows(name: str) -> Rows:
    return read_csv(DOCS / "study" / f"{name}.csv")


def _measured(row: dict[str, str]) -> list[str]:
    """The cells of a row of runs, behind its name."""
    ellipse, adf, hd = (
        interval(*(float(row[column + end]) for end in ("", "_low", "_high")), scale)
        for column, scale in (("ellipse_dice", 100), ("adf_mm", 1), ("ellipse_hd_mm", 1))
    )
    times = [f"{float(row['minutes']):.1f}", f"{float(row['ms_per_image']):.1f}"]
    return [f"{int(row['parameters']):,}", ellipse, adf, plus(float(row["df_mm"])), hd, row["missed"], *times]


def _finalists(rows: Rows) -> Iterator[Quote]:
    source = f"{FOLDER}/finalists.csv"
    names = {"finalist": "encoder-decoder", "finalist_unet": "plain U-Net"}
    for row in rows:
        name = f"{names[row['experiment']]}, seed {row['seed']}"
        yield Quote(PAGE, row_of([name, *_measured(row)]), source, f"| {name} ")
    means = {}
    for experiment in names:
        of_network = [row for row in rows if row["experiment"] == experiment]
        means[experiment] = [_mean(of_network, column) for column in ("ellipse_dice", "adf_mm")]
    (dice, adf), (other_dice, other_adf) = means.values()
    assert f"{100 * dice:.2f}" == f"{100 * other_dice:.2f}", "study.md says that both have the same Dice"
    yield Quote(PAGE, f"both have {100 * dice:.2f} % of Dice", source)
    yield Quote(PAGE, f"the errors of the circumference differ by {abs(adf - other_adf):.2f} mm", source)


def _seeds(rows: Rows) -> Iterator[Quote]:
    by_setting: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: int(row["seed"])):
        name = f"{row['model']}, depth {row['model.depth']}, {row['model.activation']}, {row['optim']}"
        shown = f"{100 * float(row['ellipse_dice']):.2f}, {float(row['adf_mm']):.2f}"
        by_setting.setdefault(name, []).append(shown)
    for name, cells in by_setting.items():
        yield Quote(PAGE, row_of([name, *cells]), f"{FOLDER}/seeds.csv", f"| {name} ")


def _effects(rows: Rows) -> Iterator[Quote]:
    cells: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        shown = interval(*(float(row[end]) for end in ("mean", "low", "high")))
        cells.setdefault((row["factor"], row["level"]), [row["blocks"]]).append(shown)
    for (factor, level), shown in cells.items():
        yield Quote(PAGE, row_of([factor, level, *shown]), f"{FOLDER}/effects.csv", f"| {factor} | {level} ")


def _grid(rows: Rows) -> Iterator[Quote]:
    source = f"{FOLDER}/grid.csv"
    ranked = sorted(rows, key=lambda row: -float(row["ellipse_dice"]))
    for row in (*ranked[:8], ranked[-1]):
        name = f"{row['model']}, depth {row['model.depth']}, {row['model.activation']}, {row['optim']}"
        name += f" × {row['optim.lr_factor']}"
        yield Quote(PAGE, row_of([name, *_measured(row)]), source, f"| {name} ")
    others = [row for row in ranked[:-1] if row["model"] == "encoder_decoder"]
    by_depth = [_mean([row for row in others if row["model.depth"] == depth], "ellipse_dice") for depth in "456"]
    by_activation = [
        _mean([row for row in others if row["model.activation"] == name], "ellipse_dice")
        for name in ("elu", "relu", "silu")
    ]
    yield Quote(PAGE, f"are {_listed(by_depth)} % for depths of 4, 5 and 6", source)
    yield Quote(PAGE, f"{_listed(by_activation)} % for ELU, ReLU and SiLU", source)
    yield Quote(PAGE, f"All {len(rows)} finished, in {sum(float(row['minutes']) for row in rows):.0f} minutes", source)


def _mean(rows: Rows, column: str) -> float:
    return sum(float(row[column]) for row in rows) / len(rows)


def _listed(values: Sequence[float]) -> str:
    first, second, third = (f"{100 * value:.2f}" for value in values)
    return f"{first}, {second} and {third}"
