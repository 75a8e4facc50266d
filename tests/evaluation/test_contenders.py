import numpy as np
import pytest

from fetal_seg.evaluation.contenders import average_repeats, common_images, ranked
from tests.run_folders import scores

GOOD, POOR = scores(0.96), scores(0.94, seed=1)


def test_repeats_are_averaged_image_by_image():
    each = average_repeats("a", [scores(0.9, missed=(0,)), scores(0.8), scores(0.7, images=2)])
    first, third = sorted(each.examinations)[0], sorted(each.examinations)[2]
    rows = [scores(0.9)[2], scores(0.8)[2]]
    assert each.scores["ellipse_dice"][third] == pytest.approx(np.mean([row["ellipse_dice"] for row in rows]))
    errors = [scores(0.8)[0]["adf_mm"], scores(0.7, images=2)[0]["adf_mm"]]
    assert each.scores["adf_mm"][first] == pytest.approx(np.mean(errors))  # of those that found a head
    dice = [0.0, scores(0.8)[0]["ellipse_dice"], scores(0.7, images=2)[0]["ellipse_dice"]]
    assert each.scores["ellipse_dice"][first] == pytest.approx(np.mean(dice))  # the missed one counts
    assert each.missed[first] == pytest.approx(1 / 3)
    assert (each.runs, len(each.examinations)) == (3, 24)


def test_a_file_with_another_truth_is_another_image():
    other = [row | {"hc_true_mm": row["hc_true_mm"] + 5} for row in GOOD]
    assert not common_images([average_repeats("a", [GOOD]), average_repeats("b", [other])])


def test_ranking_is_by_dice_and_a_missed_head_counts():
    many_missed = average_repeats("c", [scores(0.99, missed=(1, 2, 3))])
    order = ranked([average_repeats("b", [POOR]), many_missed, average_repeats("a", [GOOD])])
    assert [each.label for each in order] == ["a", "b", "c"]


def test_a_contender_without_images_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        average_repeats("nothing", [[]])
