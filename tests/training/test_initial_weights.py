import re
import shutil
from dataclasses import replace

import pytest

from fetal_seg.errors import InputError
from fetal_seg.models.building import build_network, count_parameters
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED
from fetal_seg.training.initial_weights import checkpoint_to_resume
from tests.conftest import QUICK, ROOT, run_command, table


def test_training_goes_on_from_the_pretrained_weights(cache_dir, tmp_path):
    keys = [key for key in QUICK if not key.startswith("model")]
    places = [f"data.cache_dir={cache_dir}", "hydra.run.dir=run", "trainer.max_epochs=1"]
    done = run_command("train.py", "model.init=pretrained", *keys, "evaluate=false", *places, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"lite of {count_parameters(read_checkpoint(PRETRAINED).build_network()):,} parameters" in done.stdout
    assert "was trained at 256x384, and now sees images at 64x96; to keep its size add data.height=256" in done.stdout
    trained = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    start, fresh = read_checkpoint(PRETRAINED).state, build_network(trained.description.network).state_dict()
    name = "encoder.4.3.body.2.0.weight"
    moved, other = (trained.state[name] - start[name]).norm(), (fresh[name] - start[name]).norm()
    assert 0 < moved < 0.5 * other


def test_another_network_than_the_pretrained_is_refused(tmp_path):
    done = run_command("train.py", "model=unet", "model.init=pretrained", *QUICK[:5], cwd=tmp_path)
    assert done.returncode == 2
    assert "model.init=pretrained is of another network" in done.stderr
    assert "leave the other model keys out" in done.stderr


def test_images_that_trained_the_start_are_told_where_they_validate(trained, cache_dir, tmp_path):
    keys = [key for key in QUICK if not key.startswith("model")]
    places = [f"data.cache_dir={cache_dir}", "hydra.run.dir=run", "trainer.max_epochs=1", "data.split_seed=3"]
    init = f"model.init={trained / 'checkpoints' / 'last.ckpt'}"
    done = run_command("train.py", init, *keys, "data.images=40", *places, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    (seen,) = re.search(r"(\d) of 8 validation images trained the network that this starts from", told).groups()
    assert len(table(tmp_path / "run" / "evaluation" / "per_image.csv")) == 8 - int(seen) < 8


def test_a_checkpoint_of_another_network_is_refused(trained, tmp_path, cache_dir):
    done = run_command(
        "train.py",
        *QUICK,
        "model.width=4",
        f"ckpt_path={trained}/checkpoints/last.ckpt",
        f"data.cache_dir={cache_dir}",
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "model.width=4 (was 8)" in done.stderr
    shutil.copy(trained / "checkpoints/last.ckpt", tmp_path / "alone.ckpt")  # whose run is not known
    done = run_command(
        *("train.py", *QUICK, "model.width=4", f"ckpt_path={tmp_path}/alone.ckpt", f"data.cache_dir={cache_dir}"),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "width 8 instead of 4" in done.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["alone.ckpt"]


def test_a_checkpoint_of_other_images_is_refused(trained):
    path = trained / "checkpoints" / "last.ckpt"
    known = read_checkpoint(path).description
    assert checkpoint_to_resume("last", trained, known) == str(path)
    for other in (
        replace(known, data=replace(known.data, fingerprint="another")),
        replace(known, split=replace(known.split, val=known.split.val[:-1])),
    ):
        with pytest.raises(InputError, match="of other data, or of another split"):
            checkpoint_to_resume("last", trained, other)
    wanted = replace(known, preprocessing=replace(known.preprocessing, width=128))
    with pytest.raises(InputError, match=r"is of other images \(width 96 instead of 128\)"):
        checkpoint_to_resume("last", trained, wanted)


def test_a_training_that_an_earlier_version_began_can_only_be_started_from(tmp_path):
    old = ROOT / "tests" / "models" / "format_1.ckpt"
    with pytest.raises(InputError, match=r"begun by an earlier version.*model\.init="):
        checkpoint_to_resume(str(old), tmp_path, read_checkpoint(old).description)
