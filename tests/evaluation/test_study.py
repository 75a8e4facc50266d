import pytest

from fetal_seg.evaluation.metrics import ELLIPSE_DICE
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.study import Cost, Costs, conclusions, examine
from tests.run_folders import scores, write_run

UNKNOWN = Costs(1, {})


def test_contenders_are_ranked_and_runs_equal_but_for_the_seed_are_one(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path / f"a{seed}", ["model=unet", f"seed={seed}"], scores(0.94 + 0.02 * seed, seed=seed))
        write_run(tmp_path / f"b{seed}", [f"seed={seed}"], scores(0.9, seed=10 + seed))
    write_run(tmp_path / "c", ["seed=2"], None)
    study = examine(read_runs([tmp_path]), UNKNOWN)
    assert (len(study.runs), study.factors, study.has_repeats) == (5, ("model",), True)
    assert [(entry.rank, entry.settings, len(entry.runs)) for entry in study.entries] == [
        (1, ("unet",), 2),
        (2, ("encoder_decoder",), 2),
    ]
    best = study.entries[0]
    interval = best.means[ELLIPSE_DICE.column]
    assert interval.mean == pytest.approx(95)
    assert interval.low < interval.mean < interval.high
    assert (best.epochs, best.minutes, best.missed, best.cost) == (3, 1.5, 0, None)
    assert (study.images, study.examinations) == (24, 12)


def test_only_the_common_images_count(tmp_path):
    write_run(tmp_path / "a", ["model=unet"], scores(0.95))
    write_run(tmp_path / "b", [], scores(0.9, offset=10))
    study = examine(read_runs([tmp_path]), UNKNOWN)
    assert (study.together, study.images, study.measured) == (True, 14, 34)


def test_without_a_common_image_nothing_is_ranked_fairly(tmp_path):
    write_run(tmp_path / "a", ["model=unet"], scores(0.95))
    write_run(tmp_path / "b", [], scores(0.9, offset=100))
    study = examine(read_runs([tmp_path]), UNKNOWN)
    assert (study.together, study.images, study.effects) == (False, 0, {})
    assert "cannot be ranked fairly" in conclusions(study)[0]


def test_runs_without_a_result_lead_to_no_conclusion(tmp_path):
    write_run(tmp_path / "a", ["model=unet"], None)
    study = examine(read_runs([tmp_path]), UNKNOWN)
    assert study.entries == ()
    assert conclusions(study) == ["No run has been measured, so there is nothing to compare."]


def test_a_cost_is_that_of_the_first_run_that_has_one(tmp_path):
    runs = read_runs([write_run(tmp_path / name, ["model=unet"], scores(0.9)) for name in "ab"])
    costs = Costs(2, {runs[1].checkpoint: Cost(1234, 5.25)})
    assert costs.first_of(runs) == Cost(1234, 5.25)
    assert costs.first_of(runs[:1]) is None
