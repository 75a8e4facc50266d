from matplotlib.figure import Figure
from PIL import Image

from fetal_seg.report.style import finish, minus, save, series


def test_a_series_leaves_out_epochs_without_a_finite_value():
    rows = [{"epoch": str(epoch), "loss": cell} for epoch, cell in enumerate(["0.5", "", "nan", "inf", "0.25"])]
    assert series(rows, "loss") == ([0.0, 4.0], [0.5, 0.25])
    assert series(rows, "absent") == ([], [])


def test_minus_signs_are_those_of_the_axes():
    assert minus("-1.5 to -0.5") == "−1.5 to −0.5"


def test_a_figure_has_a_legend_where_something_is_labelled_and_is_saved(tmp_path):
    figure = Figure()
    plain, labelled = figure.subplots(1, 2)
    labelled.plot([0, 1], label="loss")
    for axes in (plain, labelled):
        finish(axes)
    assert plain.get_legend() is None
    assert labelled.get_legend() is not None
    assert save(figure, tmp_path / "a.png") is figure
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
