"""Weights as safetensors, and the pretrained weights."""

import csv
import json
import re
import shutil

import pytest
import torch

from fetal_seg.config.choices import Choice
from fetal_seg.errors import InputError
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.building import build_network, count_parameters
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED, locate, write_weights
from tests.conftest import DRAWN, ROOT, drawn_head, run_command
from tests.models.descriptions import described


@pytest.fixture
def written(tmp_path):
    torch.manual_seed(4)
    choice = Choice("unet", {"depth": 2, "width": 4})
    network = build_network(choice).eval()
    write_weights(tmp_path / "x.safetensors", network.state_dict(), described(choice, train=("ü",)))
    return tmp_path / "x.safetensors", network


def test_weights_come_back_but_for_the_rounding(written):
    path, network = written
    read = read_checkpoint(path)
    assert read.description.split.train == ("ü",)
    again = read.build_network()
    assert {tensor.dtype for tensor in again.state_dict().values()} == {torch.float32, torch.int64}
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, rtol=6e-4, atol=1e-7)
    images = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(again(images), network(images), rtol=0.01, atol=0.01)
    size, whole = path.stat().st_size, 4 * count_parameters(network)
    assert size < 0.75 * whole, "half the size, but for the header of so small a network"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"), "SHA-256 is not the one"),
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "SHA-256 is not the one"),
        (lambda path: path.with_suffix(".json").unlink(), "x.json is missing; weights need both files"),
        (lambda path: path.with_suffix(".json").write_text("{"), "cannot be read"),
        (lambda path: path.with_suffix(".json").write_text("[]"), "SHA-256 is not the one"),
        (lambda path: path.unlink(), "there is no such file"),
    ],
)
def test_spoiled_weights_are_refused(written, spoil, told):
    path, _ = written
    spoil(path)
    with pytest.raises(InputError, match=re.escape(told)):
        read_checkpoint(path)


def test_a_file_that_holds_no_tensors_is_refused_though_its_checksum_is_right(written):
    import hashlib

    path, _ = written
    path.write_bytes(b"no tensors")
    described = path.with_suffix(".json")
    content = json.loads(described.read_text(encoding="utf-8"))
    described.write_text(json.dumps(content | {"sha256": hashlib.sha256(b"no tensors").hexdigest()}), encoding="utf-8")
    with pytest.raises(InputError, match="holds no tensors"):
        read_checkpoint(path)


def test_the_pretrained_weights_are_small_and_say_what_they_are():
    files = sorted(locate(PRETRAINED).parent.glob("*.safetensors"))
    assert files == [locate(PRETRAINED)]
    assert sum(file.stat().st_size for file in files) <= 8e6
    described = locate(PRETRAINED).with_suffix(".json").read_text(encoding="utf-8")
    checkpoint = read_checkpoint(PRETRAINED)
    assert count_parameters(checkpoint.build_network()) < 3e6
    description = checkpoint.description
    assert not re.search(r"/(root|home|work|tmp|Users)/", described), "no path of the machine that trained it"
    assert (len(description.split.train), len(description.split.val)) == (799, 200)
    assert not set(description.split.train) & set(description.split.val)
    assert None not in (description.calibration.interval, description.calibration.appearance)
    assert description.calibration.confidence.review_below > description.calibration.confidence.reject_below > 0.5
    assert description.further["figures"]["all"]["images"] == 200
    assert {"git", "versions", "machine", "epochs", "wall_time_s"} <= description.further["training"].keys()


def test_the_pretrained_weights_find_a_drawn_head_and_its_circumference():
    """This is no figure of its accuracy."""
    measured = Predictor.load().measure(drawn_head(DRAWN), pixel_size_mm=0.2)
    assert measured.hc_mm == pytest.approx(0.2 * DRAWN.circumference, rel=0.05)


def test_predict_measures_without_a_checkpoint(phantoms, tmp_path):
    done = run_command("predict.py", f"input={phantoms / 'test_set.zip'}", "output=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert (tmp_path / "out" / "report.html").is_file()


def test_evaluate_takes_the_pretrained_weights_by_their_name_and_measures_their_own_images(hc18_root, tmp_path):
    done = run_command("evaluate.py", "ckpt=pretrained", f"data.root={hc18_root}", "output=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    known = read_checkpoint(PRETRAINED).description.further["figures"]["all"]
    assert (summary["n"], summary["missed"]) == (200, known["missed"])
    for measure in ("ellipse_dice", "adf_mm", "df_mm", "ellipse_hd_mm"):
        assert summary[measure]["mean"] == pytest.approx(known[measure]["mean"], rel=0.02, abs=0.03)


def test_the_pretrained_weights_are_not_calibrated_anew(tmp_path):
    done = run_command("evaluate.py", "ckpt=pretrained", "calibrate=true", "data.root=x", cwd=tmp_path)
    assert done.returncode == 2
    assert "stays as it is" in done.stderr


def test_a_user_takes_the_files_elsewhere(tmp_path):
    for suffix in (".safetensors", ".json"):
        shutil.copy(locate(PRETRAINED).with_suffix(suffix), tmp_path / f"mine{suffix}")
    picture = ROOT / "docs" / "phantom.png"
    done = run_command("predict.py", "ckpt=mine.safetensors", f"input={picture}", "output=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
