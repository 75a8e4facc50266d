"""What checkpoints say of themselves: read, checked, written, and of the format before."""

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.building import build_network
from fetal_seg.models.checkpoint import KEY, PREFIX, add_calibration, read_checkpoint
from fetal_seg.models.description import FORMAT
from fetal_seg.models.weights import PRETRAINED, locate
from tests.conftest import DRAWN, QUICK, drawn_head, run_command
from tests.models.descriptions import described

OLD = Path(__file__).parent / "format_1.ckpt"  # of commit b9cc1f3: 25 epochs on 60 phantoms, calibrated on 80 others
NETWORK = Choice("unet", {"depth": 1, "width": 2})


def write(path, content):
    state = {f"{PREFIX}{name}": value for name, value in build_network(NETWORK).state_dict().items()}
    torch.save({"state_dict": state, KEY: content}, path)
    return path


def test_entries_that_nobody_knows_are_kept(tmp_path):
    content = described(NETWORK).to_dict() | {"figures": {"all": [1, 2.5]}}
    content["data"]["augmentation"] = {"flip": True}
    content["preprocessing"]["colour"] = "grey"
    description = read_checkpoint(write(tmp_path / "x.ckpt", content)).description
    assert description.further == {"figures": {"all": [1, 2.5]}}
    assert description.to_dict()["figures"] == {"all": [1, 2.5]}
    assert description.data.source.keys == {"augmentation": {"flip": True}}


def _without(*path):
    def spoil(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return spoil


def _with(value, *path):
    def spoil(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without("preprocessing", "height"), "preprocessing.height is missing"),
        (_with("wide", "preprocessing", "width"), "preprocessing.width='wide' is wrong (should be a valid integer)"),
        (_with(0.0, "preprocessing", "std"), "preprocessing.std='0.0' is wrong (should be greater than 0)"),
        (_without("network"), "network is missing"),
        (_without("network", "name"), "network="),
        (_without("data", "fingerprint"), "data.fingerprint is missing"),
        (_without("split", "val"), "split.val is missing"),
        (_with("a.png", "split", "train"), "split.train='a.png' is wrong"),
        (_with([1], "split", "train"), "split.train.0='1' is wrong (should be a valid string)"),
        (_with({"interval": {"scale": "x"}}, "calibration"), "calibration.interval.scores is missing"),
        (_with({"confidence": {"reject_below": 0.5}}, "calibration"), "calibration.confidence.review_below is missing"),
        (_with(3, "calibration"), "calibration='3' is wrong"),
    ],
)
def test_a_missing_or_wrong_entry_is_named(tmp_path, spoil, sentence):
    content = copy.deepcopy(described(NETWORK).to_dict())
    spoil(content)
    path = write(tmp_path / "best.ckpt", content)
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(f"ckpt={path}: ")
    assert str(caught.value).endswith("; take a checkpoint of a training")
    assert "\n" not in str(caught.value)


def test_several_problems_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="network is missing, preprocessing is missing, data is missing and 1 more"):
        read_checkpoint(write(tmp_path / "x.ckpt", {"format": FORMAT}))


def test_a_format_of_the_future_is_refused(tmp_path):
    path = write(tmp_path / "x.ckpt", described(NETWORK).to_dict() | {"format": 9, "version": "7.0"})
    with pytest.raises(InputError, match=r"has format 9, this version reads 1 to 3; use fetal_seg 7\.0"):
        read_checkpoint(path)


class TestFormat1:
    def test_it_is_small_and_holds_no_path(self):
        assert OLD.stat().st_size < 100_000
        assert not re.search(rb"/(root|home|work|tmp|Users)/", OLD.read_bytes())

    def test_its_names_are_read_by_their_new_ones(self):
        content = torch.load(OLD, weights_only=True)[KEY]
        calibration = read_checkpoint(OLD).description.calibration
        assert content["format"] == 1
        assert calibration.confidence.review_below == content["calibration"]["confidence"]["surest_doubt"]
        assert calibration.confidence.reject_below == content["calibration"]["confidence"]["least"]
        assert calibration.interval.scores == tuple(content["calibration"]["interval"]["scores"])
        assert len(calibration.images) == 80

    def test_it_measures_as_it_did(self):
        """The numbers are those of commit b9cc1f3."""
        measured = Predictor.load(OLD, "cpu", precision="32-true").measure(drawn_head(DRAWN), 0.2)
        assert measured.flag == "check"
        assert measured.reasons == ("the image is unlike the training data", "the network is unsure (78 %)")
        assert measured.hc_mm == pytest.approx(192.65840020815475, rel=1e-5)
        assert measured.confidence == pytest.approx(0.7838387489318848, rel=1e-5)
        assert (measured.hc_low_mm, measured.hc_high_mm) == pytest.approx((170.100492035, 215.216308381), rel=1e-4)
        expected = (390.8629928693733, 261.81881040180383, 174.76359678662214, 130.23428767530302)
        head = measured.ellipse
        found = (head.center_x, head.center_y, head.semi_axis_a, head.semi_axis_b)
        assert found == pytest.approx(expected, rel=1e-5)

    def test_a_new_calibration_brings_it_to_the_format_of_today(self, tmp_path):
        path = tmp_path / "x.ckpt"
        path.write_bytes(OLD.read_bytes())
        before = read_checkpoint(path)
        add_calibration(path, before.description.calibration)
        after = read_checkpoint(path)
        assert torch.load(path, weights_only=True)[KEY]["format"] == FORMAT
        assert after.description == before.description
        assert all(torch.equal(tensor, after.state[name]) for name, tensor in before.state.items())

    def test_a_training_starts_from_it(self, cache_dir, tmp_path):
        keys = [key for key in QUICK if not key.startswith("model")]
        places = [f"data.cache_dir={cache_dir}", "hydra.run.dir=run", "trainer.max_epochs=1"]
        done = run_command("train.py", f"model.init={OLD}", *keys, "evaluate=false", *places, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        trained, start = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt"), read_checkpoint(OLD)
        assert trained.description.network == start.description.network
        name = "encoder.0.0.0.weight"
        assert 0 < (trained.state[name] - start.state[name]).norm() < 0.5 * start.state[name].norm()


def test_the_pretrained_weights_are_of_the_format_of_today():
    content = json.loads(locate(PRETRAINED).with_suffix(".json").read_text(encoding="utf-8"))
    description = read_checkpoint(PRETRAINED).description.to_dict()
    assert content.pop("sha256")
    assert content == description
    assert np.shape(content["calibration"]["appearance"]["precision"]) == (11, 11)
