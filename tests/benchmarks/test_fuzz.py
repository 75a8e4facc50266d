import numpy as np
import pytest

from benchmarks.fuzz import damaged, fuzz_images, fuzz_records
from benchmarks.samples import image_samples
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.decoding import Request

ALLOWED = {"read", "error", "crash"}


@pytest.mark.parametrize("name", image_samples())
def test_a_sample_is_read_as_it_is(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(image_samples()[name])
    with Decoders(count=2) as decoders:
        assert [frame.image.shape for frame in decoders.frames(Request(path, name))]


def test_damage_is_a_function_of_the_seed_and_changes_the_file():
    content, other = image_samples()["grey.png"], image_samples()["grey.jpg"]
    made = [damaged(content, other, np.random.default_rng(number)) for number in range(40)]
    assert made == [damaged(content, other, np.random.default_rng(number)) for number in range(40)]
    assert sum(one != content for one in made) > 35


def test_damaged_images_are_read_or_refused_in_one_sentence(tmp_path):
    outcomes = fuzz_images(tmp_path, 400, seed=1)
    assert sum(found.counts.total() for found in outcomes.values()) == 400
    assert {outcome for found in outcomes.values() for outcome in found.counts} <= ALLOWED, outcomes
    alone = fuzz_images(tmp_path, 400, seed=1, only="grey.png")
    assert {name: found.counts for name, found in alone.items()} == {"grey.png": outcomes["grey.png"].counts}


def test_damaged_records_are_read_or_refused_in_one_sentence(trained, tmp_path):
    outcomes = fuzz_records(trained, tmp_path, 15, seed=1)
    assert all(found.counts.total() == 15 for found in outcomes.values())
    assert {outcome for found in outcomes.values() for outcome in found.counts} <= ALLOWED, outcomes
