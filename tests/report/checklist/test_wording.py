import pytest

from fetal_seg.evaluation.metrics import ADF, ELLIPSE_DICE
from fetal_seg.report.checklist.wording import count, keys_text, mean_text, per_cent, value_text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "null"), (True, "true"), (0.002, "0.002"), (1.0, "1"), (3, "3"), ("relu", "relu")]
)
def test_values_are_written_as_in_yaml(value, text):
    assert value_text(value) == text


def test_keys_numbers_and_means():
    assert keys_text({"name": "unet", "depth": 5, "init": None}, without=("init",)) == "depth=5"
    assert keys_text({}) == "no keys"
    assert (count(1, "image"), count(1200, "image")) == ("1 image", "1,200 images")
    assert per_cent(0.9) == "90.0 %"
    values = {
        "ellipse_dice": {"mean": 0.9796, "ci95": [0.9778, 0.9811]},
        "adf_mm": {"mean": None, "ci95": [None, None]},
    }
    assert mean_text(values, ELLIPSE_DICE) == "ellipse Dice 97.96 % (97.78 to 98.11)"
    assert mean_text(values, ADF) == "ADF is known of no image"
    assert mean_text({"adf_mm": {"mean": 1.5, "ci95": [None, None]}}, ADF) == "ADF 1.50 mm (no interval)"
