import numpy as np
import pytest

from fetal_seg.report.run.curves import draw_curves
from tests.report.drawn import is_png, line

HEADER = "epoch,train/loss,val/loss,train/dice,val/dice,lr,seconds\n"


@pytest.fixture
def metrics_csv(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        HEADER + "0,0.9,0.8,0.5,0.55,0.001,30\n1,0.5,,0.7,,0.001,30\n2,0.4,0.45,0.8,0.82,0.001,30\n"
        "3,0.3,nan,0.85,0.81,0.001,30\n"
    )
    return path


def test_curves_show_training_and_validation_of_loss_and_dice(metrics_csv, tmp_path):
    figure = draw_curves(metrics_csv, tmp_path / "curves.png")
    loss, dice = figure.axes
    assert (loss.get_title(), dice.get_title(), loss.get_xlabel()) == ("Loss", "Dice", "epoch")
    np.testing.assert_array_equal(line(loss, "training").get_xydata(), [[0, 0.9], [1, 0.5], [2, 0.4], [3, 0.3]])
    np.testing.assert_array_equal(line(loss, "validation").get_xydata(), [[0, 0.8], [2, 0.45]])
    np.testing.assert_array_equal(line(dice, "validation").get_xydata(), [[0, 0.55], [2, 0.82], [3, 0.81]])
    assert list(line(dice, "best epoch").get_xdata()) == [2, 2]
    assert figure.get_suptitle() == "4 epochs, best validation Dice 0.8200 in epoch 2"
    assert is_png(tmp_path / "curves.png")


@pytest.mark.parametrize("text", ["", "0,0.9,,0.5,,0.001,30\n", "0,0.9,0.8,0.5,0.6,0.001,30\n"])
def test_curves_of_a_run_that_has_hardly_begun(text, tmp_path):
    (tmp_path / "metrics.csv").write_text(HEADER + text)
    figure = draw_curves(tmp_path / "metrics.csv", tmp_path / "curves.png")
    ticks = [tick for tick in figure.axes[0].get_xticks() if tick != round(tick)]
    assert ticks == []  # there is no epoch 0.5
    assert is_png(tmp_path / "curves.png")
