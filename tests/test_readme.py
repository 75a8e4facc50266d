"""What the README says is so."""

import re

import pytest

from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network, count_parameters
from tests.conftest import DRAWN, ROOT, drawn_head

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _example(of):
    """The Python code in the README that holds a text."""
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if of in code]
    return code


@pytest.mark.parametrize("name", ["encoder_decoder", "lite", "unet", "smp"])
def test_parameter_counts(name):
    stated = re.search(rf"`model={name}`[^|]*\| ([\d,]+) \|", README)
    assert stated, "the README's table has a row for each network"
    assert count_parameters(build_network(Choice(name))) == int(stated[1].replace(",", ""))


def test_pictures_and_files_that_it_names_are_there():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_groups_that_it_names_are_there():
    for group, choice in re.findall(r"\b(model|optim|loss|data|scheduler|trainer|experiment)=(\w+)", README):
        if choice != "tiny":
            assert (ROOT / "conf" / group / f"{choice}.yaml").is_file(), (group, choice)


def test_the_network_it_shows_how_to_add_works(tmp_path, monkeypatch):
    import torch

    from fetal_seg.models import networks

    (tmp_path / "tiny.py").write_text(_example("class Tiny"))
    folders = [*networks.__path__, str(tmp_path)]
    monkeypatch.setattr(networks, "__path__", folders)
    monkeypatch.setattr(networks.__spec__, "submodule_search_locations", folders)
    network = build_network(Choice("tiny", {"channels": 4}))
    assert network(torch.rand(2, 1, 20, 30)).shape == (2, 1, 20, 30)


def test_the_library_example_measures_a_head(tmp_path):
    import subprocess
    import sys

    from fetal_seg.images.grey import write_png

    write_png(tmp_path / "scan.png", drawn_head(DRAWN))
    done = subprocess.run(
        [sys.executable, "-c", _example("Predictor.load")], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    flag, hc_mm = done.stdout.split()[:2]
    assert flag in ("ok", "check")
    assert float(hc_mm) == pytest.approx(0.12 * DRAWN.circumference, rel=0.05)
