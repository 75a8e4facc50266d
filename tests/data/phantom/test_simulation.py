import math

import numpy as np
import pytest

from fetal_seg.data.phantom.simulation import envelope


def test_speckle_follows_rayleigh_before_compression():
    rms = np.full((500, 500), 3.0, np.float32)
    sound = envelope(rms, np.zeros_like(rms), (2.0, 2.0), np.random.default_rng(0))
    assert sound.mean() / sound.std() == pytest.approx(math.sqrt(math.pi / (4 - math.pi)), rel=0.03)
    assert np.mean(sound**2) == pytest.approx(9.0, rel=0.05)


def test_mirrors_add_in_phase():
    mirror = np.full((200, 200), 5.0, np.float32)
    assert envelope(np.zeros_like(mirror), mirror, (2.0, 2.0), np.random.default_rng(0)) == pytest.approx(5.0, rel=1e-3)


def test_speckle_is_wider_across_the_beams():
    rms = np.ones((400, 400), np.float32)
    sound = envelope(rms, 0 * rms, (1.5, 4.0), np.random.default_rng(0))
    down, across = np.abs(np.diff(sound, axis=0)).mean(), np.abs(np.diff(sound, axis=1)).mean()
    assert down > 2 * across
