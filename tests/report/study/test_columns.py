import math

import pytest

from fetal_seg.evaluation.comparison import PairedComparison
from fetal_seg.evaluation.metrics import ELLIPSE_DICE
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.study import Cost, Costs, examine
from fetal_seg.report.study.columns import COMPARISON_COLUMNS, ranking_columns
from tests.run_folders import scores, write_run


@pytest.fixture
def study(tmp_path):
    """A U-Net at two depths, with the cost of the better one."""
    for name, overrides, mean in (
        ("a", ["model=unet", "++model.depth=3"], 0.94),
        ("b", ["model=unet", "++model.depth=4"], 0.96),
    ):
        write_run(tmp_path / name, overrides, scores(mean))
    costs = Costs(2, {tmp_path / "b" / "checkpoints" / "best.ckpt": Cost(1234, 5.25)})
    return examine(read_runs([tmp_path]), costs)


def test_a_column_of_the_ranking_has_a_heading_a_text_and_a_number_to_sort_by(study):
    cells = {column.heading: [column.cell(entry) for entry in study.entries] for column in ranking_columns(study)}
    assert list(cells) == [
        *("rank", "depth", "ellipse Dice, % [95 %]", "ADF, mm [95 %]", "ellipse HD, mm [95 %]", "missed"),
        *("parameters", "ms an image", "epochs", "minutes"),
    ]
    assert [(cell.text, cell.number) for cell in cells["depth"]] == [("4", 4.0), ("3", 3.0)]
    assert cells["ellipse Dice, % [95 %]"][0].text.startswith("96.00 [")
    assert cells["ellipse Dice, % [95 %]"][0].number == pytest.approx(96)
    assert cells["parameters"][0].text == "1,234"
    assert cells["ms an image"][1].text == ""
    assert math.isnan(cells["ms an image"][1].number)  # sorted last


def test_contenders_without_a_common_image_have_no_numbers():
    cells = {column.heading: column.cell(PairedComparison("a", "b", ELLIPSE_DICE)) for column in COMPARISON_COLUMNS}
    assert cells["the best against"].text == "b"
    assert cells["the best is"].text == "no image in common"
    assert all(math.isnan(cells[heading].number) for heading in ("best minus other", "95 % interval", "p", "p (Holm)"))
