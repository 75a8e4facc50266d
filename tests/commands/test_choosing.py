"""Which images are measured, by the command and by the functions that choose them."""

import shutil

import pytest
from PIL import Image

from fetal_seg.commands.choosing import choose_records, read_records
from fetal_seg.config.commands import EvaluateConfig
from fetal_seg.config.data import FromRunConfig
from fetal_seg.data.loading import load_records
from fetal_seg.data.sources.hc18 import load
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import QUICK, run_command, table


def test_the_pretrained_weights_are_measured_on_hc18_where_the_caller_says_it_is(phantoms, cache_dir):
    config = EvaluateConfig(ckpt="pretrained", data=FromRunConfig(part="all", cache_dir=str(cache_dir), limit=5))
    checkpoints = [read_checkpoint("pretrained")]
    records, _ = choose_records(config, checkpoints, read_records(config, checkpoints, hc18_root=str(phantoms)))
    names = [record.name for record in load(phantoms, cache_dir, download=False)]
    assert [record.name for record in records] == names[:5]


class TestImagesThatTrained:
    """They are known again by their pixels, under any name, and judge nothing."""

    @pytest.fixture(scope="class")
    def renamed(self, good, cache_dir, tmp_path_factory):
        """A folder of the user's own: all images of the run, under other names."""
        folder = tmp_path_factory.mktemp("renamed")
        source = read_checkpoint(good).description.data.source
        for number, record in enumerate(load_records(source, cache_dir)):
            Image.open(record.image).save(folder / f"mine{number}.png", compress_level=1)
            shutil.copy(record.annotation, folder / f"mine{number}_mask.png")
        return folder

    def evaluate(self, *arguments, folder):
        return run_command("evaluate.py", *arguments, f"output={folder}/out", cwd=folder)

    def test_those_that_did_not_are_measured(self, good, renamed, tmp_path):
        done = self.evaluate(f"ckpt={good}", "data=folder", f"data.root={renamed}", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f"48 of 60 images trained {good}; the 12 that trained none are measured" in done.stdout
        assert len(table(tmp_path / "out/per_image.csv")) == 12

    def test_a_fine_tuned_network_knows_what_trained_the_first(self, good, renamed, tmp_path):
        keys = [*QUICK, "data=folder", f"data.root={renamed}", f"model.init={good}", "trainer.max_epochs=1"]
        keys = [key for key in keys if not key.startswith(("model.depth", "model.width", "data.images", "data.test"))]
        run = tmp_path / "tuned"
        keys = [*keys, "data.limit=4", "evaluate=false", f"hydra.run.dir={run}"]
        done = run_command("train.py", *(key for key in keys if key != "data=phantom"), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        first, tuned = (read_checkpoint(path).description.split for path in (good, run / "checkpoints/best.ckpt"))
        assert set(first.seen) < set(tuned.seen)
        together = f"ckpt=[{good},{run}/checkpoints/best.ckpt]"
        done = self.evaluate(together, "data=folder", f"data.root={renamed}", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(table(tmp_path / "out/1/per_image.csv")) == 60 - len(tuned.seen)

    def test_where_none_is_left_it_is_refused(self, good, renamed, tmp_path, cache_dir):
        source = read_checkpoint(good).description
        names = set(source.split.train)
        for number, record in enumerate(load_records(source.data.source, cache_dir)):
            if record.name in names:
                shutil.copy(renamed / f"mine{number}.png", tmp_path / f"x{number}.png")
                shutil.copy(renamed / f"mine{number}_mask.png", tmp_path / f"x{number}_mask.png")
        done = self.evaluate(f"ckpt={good}", "data=folder", f"data.root={tmp_path}", folder=renamed)
        assert done.returncode == 2
        assert f"48 of 48 images trained {good}: none is left to judge by" in done.stderr

    def test_asked_for_they_are_measured_with_a_warning(self, good, cache_dir, tmp_path):
        done = self.evaluate(f"ckpt={good}", "data.part=train", f"data.cache_dir={cache_dir}", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "their figures are too good" in done.stdout + done.stderr
        assert done.stdout.index("evaluation: ") < done.stdout.index("their figures are too good")
        assert len(table(tmp_path / "out/per_image.csv")) == 48
