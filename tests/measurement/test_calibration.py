import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.errors import InputError
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement.calibration import Calibration, Calibrator, judge
from fetal_seg.models.checkpoint import add_calibration, read_checkpoint

BOX = Letterbox(32, 48)


def evaluation(count, seed=0):
    """Images, and the rows that an evaluation has of them."""
    rng = np.random.default_rng(seed)
    images = [rng.integers(0, 256, (60, 80), dtype=np.uint8) for _ in range(count)]
    rows = []
    for index in range(count):
        true, sure = float(rng.uniform(60, 340)), float(rng.uniform(0.85, 0.99))
        predicted = true + float(rng.normal(0, 40 * (1 - sure)))
        rows.append({"examination": str(index), "hc_true_mm": true, "hc_pred_mm": predicted, "confidence": sure})
    return images, rows


def calibrated(images, rows):
    calibrator = Calibrator(BOX)
    for image in images:
        calibrator.add(image, np.pad(np.ones((20, 30), np.uint8), ((20, 20), (25, 25))))
    return calibrator, calibrator.result(rows)


def test_new_images_are_judged_by_all_held_out_ones():
    _, calibration = calibrated(*evaluation(300))
    images, rows = evaluation(300, seed=1)
    judged = judge(rows, calibrated(images, rows)[0].images, calibration)
    assert np.mean([row["covered"] for row in judged]) == pytest.approx(0.9, abs=0.05)
    for row in judged:
        assert row["covered"] == (row["hc_low_mm"] <= row["hc_true_mm"] <= row["hc_high_mm"])


def test_the_calibrations_own_images_are_judged_without_themselves():
    images, rows = evaluation(300)
    calibrator, calibration = calibrated(images, rows)
    alone = [judge(rows[index : index + 1], calibrator.images[index : index + 1], calibration) for index in range(3)]
    judged = judge(rows, calibrator.images, calibration)
    assert np.mean([row["covered"] for row in judged]) == pytest.approx(0.9, abs=0.05)
    # One image has no others to be judged by
    assert all("covered" not in row for rows_of_one in alone for row in rows_of_one)


def test_heads_that_were_missed_or_have_no_pixel_size_are_left_out():
    images, rows = evaluation(40)
    rows[3] = {"examination": "3", "hc_true_mm": 100.0, "hc_pred_mm": None, "confidence": None}
    rows[4] = {"examination": "4"}
    calibrator, calibration = calibrated(images, rows)
    assert len(calibration.interval.scores) == 38
    judged = judge(rows, calibrator.images, calibration)
    assert "covered" not in judged[3]
    assert "covered" not in judged[4]


def test_no_head_that_it_was_made_of_is_taken_for_none():
    images, rows = evaluation(100)
    confidence = calibrated(images, rows)[1].confidence
    known = sorted(row["confidence"] for row in rows)
    assert confidence.reject_below == pytest.approx(known[0] - 0.1)
    assert known[1] <= confidence.review_below <= known[2]


def test_nothing_known_gives_no_interval():
    images, rows = evaluation(5)
    for row in rows:
        row["hc_true_mm"] = None
    calibrator, calibration = calibrated(images, rows)
    assert calibration.interval is None
    assert judge(rows, calibrator.images, calibration) == rows


@given(st.integers(0, 2**32 - 1))
def test_the_same_pixels_are_known_again(seed):
    image = np.random.default_rng(seed).integers(0, 256, (6, 7), dtype=np.uint8)
    one, other = Calibrator(BOX), Calibrator(BOX)
    one.add(image, image)
    other.add(image.copy(), image)
    other.add(image ^ 1, image)
    assert one.images[0] == other.images[0] != other.images[1]


def test_a_checkpoint_keeps_its_calibration_as_plain_data(trained, tmp_path):
    source = trained / "checkpoints" / "last.ckpt"
    copy = tmp_path / "copy.ckpt"
    copy.write_bytes(source.read_bytes())
    _, calibration = calibrated(*evaluation(70))
    add_calibration(copy, calibration)
    again = read_checkpoint(copy)
    assert again.description.calibration == calibration
    for name, tensor in read_checkpoint(source).state.items():
        assert torch.equal(tensor, again.state[name])


def test_a_training_calibrates_its_best_checkpoint(trained):
    calibration = read_checkpoint(trained / "checkpoints" / "best.ckpt").description.calibration
    assert len(calibration.images) == 5
    assert len(calibration.interval.scores) <= 5
    assert read_checkpoint(trained / "checkpoints" / "last.ckpt").description.calibration is None


def test_what_is_no_checkpoint_is_not_touched(tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"mine")
    with pytest.raises(InputError):
        add_calibration(tmp_path / "x.ckpt", Calibration())
    assert (tmp_path / "x.ckpt").read_bytes() == b"mine"
