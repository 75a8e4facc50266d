import csv

import numpy as np
import pytest
from scipy import stats

from fetal_seg.evaluation.comparison import PairedComparison, compare_all, compare_with_best, write_comparisons
from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.metrics import ADF, ELLIPSE_DICE
from tests.run_folders import scores

GOOD, POOR = scores(0.96), scores(0.94, seed=1)


def test_the_best_is_compared_over_the_images_that_both_measured():
    shorter = scores(0.9, images=20, seed=2)
    (comparison,) = compare_with_best([average_repeats("short", [shorter]), average_repeats("good", [GOOD])])
    expected = [good["ellipse_dice"] - row["ellipse_dice"] for good, row in zip(GOOD, shorter, strict=False)]
    assert comparison.difference == pytest.approx(100 * np.mean(expected))
    assert (comparison.images, comparison.examinations) == (20, 10)
    assert comparison.p == pytest.approx(stats.wilcoxon(np.reshape(expected, (10, 2)).mean(1)).pvalue)
    assert comparison.low < comparison.difference < comparison.high


def test_p_is_corrected_over_all_comparisons():
    contenders = [average_repeats(str(number), [scores(0.96 - 0.002 * number, seed=number)]) for number in range(5)]
    found = compare_with_best(contenders)
    assert [each.second for each in found] == ["1", "2", "3", "4"]
    ordered = sorted(found, key=lambda each: each.p)
    expected = np.minimum(1, np.maximum.accumulate([(4 - place) * each.p for place, each in enumerate(ordered)]))
    assert [each.p_holm for each in ordered] == pytest.approx(expected)


def test_a_clear_difference_is_told_as_one():
    dice, *_ = compare_with_best([average_repeats("poor", [POOR]), average_repeats("good", [GOOD])])
    assert dice.first_is_better
    assert dice.sentence.startswith(f"good is better than poor by {dice.difference:.2f} points of Dice (95 % interval ")
    assert "24 images of 12 examinations" in dice.sentence
    (adf,) = compare_with_best([average_repeats("poor", [POOR]), average_repeats("good", [GOOD])], ADF)
    assert adf.difference < 0
    assert adf.sentence.startswith(f"good is better than poor by {-adf.difference:.2f} mm of ADF")  # lower is better


def test_the_second_may_be_the_better_one_by_another_measure():
    comparison = PairedComparison("a", "b", ADF, 0.4, 0.2, 0.6, 0.001, 0.002, 9, 5)
    assert comparison.sentence.startswith("b is better than a by 0.40 mm of ADF (95 % interval 0.20 to 0.60, p = 0.002")
    assert (comparison.shown, comparison.first_is_better, comparison.verdict) == (True, False, "worse")


@pytest.mark.parametrize(("low", "p_holm"), [(-0.1, 0.001), (0.1, 0.06)])
def test_a_difference_needs_both_the_test_and_the_interval(low, p_holm):
    comparison = PairedComparison("a", "b", ELLIPSE_DICE, 0.5, low, 0.9, 0.001, p_holm, 9, 5)
    assert not comparison.shown
    assert comparison.sentence.startswith("No difference can be shown between a and b: 0.50 points of Dice")


@pytest.mark.parametrize(
    ("difference", "low", "p", "p_holm", "why"),
    [
        (0.004, 0.001, 0.001, 0.002, "; whatever there is, it is below 0.01 points of Dice."),
        (
            0.5,
            0.1,
            0.61,
            0.61,
            "; the interval leaves out zero, but few large differences make it, which the rank test",
        ),
        (0.5, 0.1, 0.02, 0.4, "; before the correction for all comparisons made together p = 0.020."),
        (
            0.5,
            -0.1,
            0.001,
            0.001,
            "; most images differ in one direction, but a few large differences widen the interval",
        ),
        (0.5, -0.1, 0.3, 0.3, "9 images of 5 examinations)."),
    ],
)
def test_what_is_not_shown_is_told_with_its_reason(difference, low, p, p_holm, why):
    comparison = PairedComparison("a", "b", ELLIPSE_DICE, difference, low, 0.9, p, p_holm, 9, 5)
    assert (comparison.shown, comparison.verdict) == (False, "not shown")
    assert why in comparison.sentence


def test_equal_contenders_do_not_differ():
    (comparison,) = compare_with_best([average_repeats("a", [GOOD]), average_repeats("b", [GOOD])])
    assert (comparison.difference, comparison.p_holm, comparison.shown) == (0.0, 1.0, False)
    assert "0.00 points" in comparison.sentence


def test_contenders_without_a_common_image_are_not_compared():
    other = average_repeats("b", [scores(0.9, offset=100)])
    (comparison,) = compare_with_best([average_repeats("a", [GOOD]), other])
    assert comparison.sentence == "a and b cannot be compared: no image was measured by both."


def test_adf_is_compared_where_both_found_a_head():
    missing = scores(0.95, missed=(0, 5), seed=3)
    (comparison,) = compare_with_best([average_repeats("a", [GOOD]), average_repeats("b", [missing])], ADF)
    assert comparison.images == 22


def test_evaluations_are_compared_without_run_folders(tmp_path):
    contenders = [average_repeats(label, [rows]) for label, rows in (("poor", POOR), ("good", GOOD), ("same", GOOD))]
    comparisons = compare_all(contenders)
    write_comparisons(tmp_path / "out" / "comparison.csv", comparisons)
    assert len(comparisons) == 4  # two of Dice, two of ADF
    with (tmp_path / "out" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("first", "second", "measure", "difference", "low", "high", "p", "p_holm", "images", "examinations"),
        "sentence",
    ]
    assert [(row["first"], row["second"], row["measure"]) for row in rows[:2]] == [
        ("good", "same", "ellipse Dice, %"),
        ("good", "poor", "ellipse Dice, %"),
    ]
    expected = 100 * np.mean([a["ellipse_dice"] - b["ellipse_dice"] for a, b in zip(GOOD, POOR, strict=True)])
    assert float(rows[1]["difference"]) == pytest.approx(expected, rel=1e-5)
    assert [row["sentence"] for row in rows] == [comparison.sentence for comparison in comparisons]


def test_numbers_of_contenders_without_a_common_image_are_empty_cells(tmp_path):
    other = average_repeats("b", [scores(0.9, offset=100)])
    write_comparisons(tmp_path / "comparison.csv", compare_with_best([average_repeats("a", [GOOD]), other]))
    line = (tmp_path / "comparison.csv").read_text().splitlines()[1]
    assert line.startswith('a,b,"ellipse Dice, %",,,,,,0,0,a and b cannot be compared')


def test_without_pixel_sizes_contenders_are_compared_by_dice_alone():
    unknown = [{column: row[column] for column in ("file", "examination", "ellipse_dice")} for row in GOOD]
    contenders = [average_repeats(label, [unknown]) for label in "ab"]
    assert [comparison.metric for comparison in compare_all(contenders)] == [ELLIPSE_DICE]
