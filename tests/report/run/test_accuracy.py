import math
import subprocess
import sys

import numpy as np
import pytest

from fetal_seg.report.run.accuracy import draw_bland_altman, draw_errors
from tests.report.drawn import is_png, line

TRUE = np.array([70.0, 90.0, 150.0, 180.0, 200.0, 280.0])
DIFFERENCES = np.array([0.5, -0.25, 1.0, -1.5, 2.0, -0.75])


def rows():
    return [
        {
            "file": f"{index}.png", "examination": str(index), "ellipse_dice": 0.95 + index / 200, "ellipse_hd_mm": 1.0,
            "hc_true_mm": true, "hc_pred_mm": true + difference, "df_mm": difference, "adf_mm": abs(difference),
        }
        for index, (true, difference) in enumerate(zip(TRUE, DIFFERENCES, strict=True))
    ]  # fmt: skip


MISSED = {"file": "m.png", "examination": "m", "ellipse_dice": 0.0, "ellipse_hd_mm": math.inf, "hc_true_mm": 100.0}
WITHOUT_SIZE = {"file": "s.png", "examination": "s", "ellipse_dice": 0.9}


def test_bland_altman_shows_differences_against_means_with_bias_and_limits(tmp_path):
    figure = draw_bland_altman(rows(), tmp_path / "plot.png")
    (axes,) = figure.axes
    points = np.concatenate([np.asarray(series.get_offsets()) for series in axes.collections])
    expected = np.stack([TRUE + DIFFERENCES / 2, DIFFERENCES], axis=1)
    np.testing.assert_allclose(points[points[:, 0].argsort()], expected)
    bias, reach = DIFFERENCES.mean(), 1.96 * DIFFERENCES.std(ddof=1)
    levels = sorted(found.get_ydata()[0] for found in axes.get_lines())
    assert levels == pytest.approx(sorted([0, bias, bias + reach, bias - reach]))
    assert {text.get_text().split("\n")[0] for text in axes.texts} == {"bias", "+1.96 SD", "−1.96 SD"}
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["first trimester (n = 2)", "second trimester (n = 3)", "third trimester (n = 1)"]
    assert "mm" in axes.get_xlabel()
    assert "mm" in axes.get_ylabel()
    assert is_png(tmp_path / "plot.png")


def test_bland_altman_says_what_it_leaves_out(tmp_path):
    figure = draw_bland_altman([*rows(), MISSED, WITHOUT_SIZE], tmp_path / "plot.png")
    assert "n = 6" in figure.axes[0].get_title()
    assert figure.axes[0].get_xlabel().endswith("not shown: 1 missed, 1 without pixel size")


def test_errors_are_histograms_with_mean_and_median(tmp_path):
    left, right = draw_errors([*rows(), MISSED], tmp_path / "errors.png").axes
    assert [sum(bar.get_height() for bar in axes.patches) for axes in (left, right)] == [6, 6]
    assert line(left, "mean").get_xdata()[0] == pytest.approx(DIFFERENCES.mean())
    assert line(left, "median").get_xdata()[0] == pytest.approx(np.median(DIFFERENCES))
    dice = [100 * row["ellipse_dice"] for row in rows()] + [0.0]
    assert line(right, "mean").get_xdata()[0] == pytest.approx(np.mean(dice))  # the missed head counts
    assert line(right, "median").get_xdata()[0] == pytest.approx(np.median(dice))
    assert left.get_xlabel() == "DF: predicted minus true, mm\nnot shown: 1 missed"
    assert "counted as 0: 1 missed" in right.get_xlabel()
    assert right.get_xlim()[0] > 50  # nor does it squeeze the others together
    assert is_png(tmp_path / "errors.png")


def test_a_far_error_is_counted_in_the_outermost_bar(tmp_path):
    many = [rows()[0] | {"df_mm": value} for value in [*np.linspace(-2, 2, 400), 150.0]]
    left, _ = draw_errors(many, tmp_path / "errors.png").axes
    assert sum(bar.get_height() for bar in left.patches) == 401
    assert left.get_xlim()[1] < 20
    assert "outermost bars: 1" in left.get_xlabel()


@pytest.mark.parametrize("few", [[MISSED], [WITHOUT_SIZE], rows()[:1], rows()[:2]])
@pytest.mark.parametrize("draw", [draw_bland_altman, draw_errors])
def test_few_images_are_enough(draw, few, tmp_path):
    draw(few, tmp_path / "plot.png")
    assert is_png(tmp_path / "plot.png")


def test_no_figure_is_kept_by_pyplot():
    code = "import sys; from fetal_seg.report.run import accuracy, curves; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
