import numpy as np
import pytest

from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.disagreement import most_disagreed
from tests.run_folders import scores

ROWS = scores(0.95), scores(0.93, seed=1), scores(0.9, seed=2)


def test_the_images_with_the_largest_spread_of_dice_come_first():
    found = most_disagreed([average_repeats(str(number), [rows]) for number, rows in enumerate(ROWS)], count=4)
    spreads = 100 * np.std([[row["ellipse_dice"] for row in rows] for rows in ROWS], axis=0)
    order = np.argsort(-spreads)[:4]
    assert [file for (file, _), _ in found] == [ROWS[0][index]["file"] for index in order]
    assert [spread for _, spread in found] == pytest.approx(spreads[order])


def test_a_contender_that_mostly_missed_the_head_does_not_count():
    contenders = [average_repeats(label, [rows]) for label, rows in zip("ab", ROWS, strict=False)]
    diverged = average_repeats("c", [scores(0.9, missed=range(20))])
    assert most_disagreed([*contenders, diverged]) == most_disagreed(contenders)


def test_where_nothing_differs_there_is_no_image():
    alike = [average_repeats(label, [ROWS[0]]) for label in "ab"]
    assert most_disagreed(alike) == most_disagreed(alike[:1]) == []
