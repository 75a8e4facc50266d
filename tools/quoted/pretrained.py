"""What README, front page, model card and accuracy.md say of the pretrained weights, from their description."""

import json
from collections.abc import Iterator

from fetal_seg.models.weights import PRETRAINED, locate
from tools.quoted.quote import ROOT, Quote, of_summary, row_of

SOURCE = locate(PRETRAINED).with_suffix(".json").relative_to(ROOT).as_posix()
PARTS = ("all", "trimester 1", "trimester 2", "trimester 3")
ROWS = {  # of the model card: the measure, and what its files are multiplied by
    "mask Dice %": ("dice", 100),
    "NSD at 1 mm %": ("nsd_1mm", 100),
    "ellipse Dice %": ("ellipse_dice", 100),
    "HD mm": ("ellipse_hd_mm", 1),
    "ADF mm": ("adf_mm", 1),
    "DF mm": ("df_mm", 1),
}
OF_README = ("mask Dice %", "ellipse Dice %", "HD mm", "ADF mm", "DF mm")


def quotes() -> Iterator[Quote]:
    """Each figure of the weights' own evaluation that a document has."""
    figures = json.loads((ROOT / SOURCE).read_text(encoding="utf-8"))["figures"]

    def shown(title: str, part: str) -> str:
        measure, scale = ROWS[title]
        return of_summary(figures[part][measure], scale)

    card, front, accuracy = "docs/model_card.md", "docs/index.md", "docs/accuracy.md"
    images = [str(figures[part]["images"]) for part in PARTS]
    heading = ["", f"all {images[0]}", f"trimester 1 ({images[1]})", f"2 ({images[2]})", f"3 ({images[3]})"]
    yield Quote(card, row_of(heading).replace("|  |", "| |"), SOURCE, "| | all")
    for title in ROWS:
        yield Quote(card, row_of([title, *(shown(title, part) for part in PARTS)]), SOURCE, f"| {title} ")
    yield Quote(card, row_of(["missed heads", *(str(figures[part]["missed"]) for part in PARTS)]), SOURCE, "| missed ")
    yield Quote("README.md", row_of(["`pretrained`", *(shown(title, "all") for title in OF_README)]), SOURCE, "| `pre")
    error, dice = shown("ADF mm", "all").replace(" (", " mm ("), shown("ellipse Dice %", "all").replace(" (", " % (")
    yield Quote(front, row_of(["mean error of the circumference", error]), SOURCE, "| mean error")
    yield Quote(front, row_of(["overlap of the two ellipses (Dice)", dice]), SOURCE, "| overlap")
    yield Quote(
        front, row_of(["heads that were missed", str(figures["all"]["missed"])]), SOURCE, "| heads that were missed"
    )
    for part, name, number in (
        (PARTS[2], "second trimester (137 of the 200 images)", 2),
        (PARTS[3], "third trimester (29)", 3),
    ):
        assert images[number] in name
        means = [f"{figures[part]['adf_mm']['mean']:.2f}", f"{100 * figures[part]['ellipse_dice']['mean']:.2f}"]
        yield Quote(accuracy, row_of([f"`pretrained`, {name}", *means]), SOURCE, f"| `pretrained`, {name}")
    early = f"First-trimester heads have the lowest Dice ({100 * figures[PARTS[1]]['ellipse_dice']['mean']:.1f} %)"
    yield Quote("README.md", early, SOURCE)
    late = figures[PARTS[3]]
    yield Quote("README.md", f"`pretrained` measures them {-late['df_mm']['mean']:.1f} mm too small", SOURCE)
    yield Quote(card, f"by {-late['df_mm']['mean']:.1f} mm on average (ADF {late['adf_mm']['mean']:.1f} mm)", SOURCE)
