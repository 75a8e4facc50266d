"""Registries: names are known without importing what they name."""

import sys

import pytest

from fetal_seg.config.choices import Choice, Registry
from fetal_seg.errors import InputError


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A package with two modules of shapes and one of something else."""
    package = tmp_path / "shapes_of_test"
    package.mkdir()
    (package / "__init__.py").write_text("from fetal_seg.config.choices import Registry\n")
    (package / "round.py").write_text(
        "from shapes_registry import SHAPES\n\n\n"
        "@SHAPES.register('circle')\ndef circle(size=1):\n    return ('circle', size)\n"
        "\n\n@SHAPES.register('dot')\nclass Dot:\n    pass\n"
    )
    (package / "angular.py").write_text(
        "raise RuntimeError('must not be imported')\n\n\n@SHAPES.register('square')\ndef square():\n    pass\n"
    )
    (package / "notes.py").write_text("def register(name):\n    pass\n")
    (tmp_path / "shapes_registry.py").write_text(
        "from fetal_seg.config.choices import Registry\nSHAPES = Registry('shape', 'shapes_of_test')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from shapes_registry import SHAPES

    yield SHAPES
    for name in [name for name in sys.modules if name.startswith("shapes_")]:
        del sys.modules[name]


def test_names_are_read_without_importing_the_modules(registry):
    assert registry.names() == ["square", "circle", "dot"]


def test_only_the_module_that_is_asked_for_is_imported(registry):
    assert registry["circle"](size=3) == ("circle", 3)
    assert "shapes_of_test.angular" not in sys.modules


def test_an_unknown_name_is_refused_with_the_known_ones(registry):
    with pytest.raises(InputError, match="the shape 'cube' is unknown; take one of circle, dot, square"):
        registry["cube"]
    with pytest.raises(InputError):
        registry.check(None)


def test_a_place_that_does_not_exist_is_an_error_of_the_program():
    with pytest.raises(ModuleNotFoundError):
        Registry("shape", "fetal_seg.nowhere").names()


def test_a_choice_is_plain_data_and_comes_back():
    choice = Choice("unet", {"depth": 3, "weights": None})
    assert Choice.from_dict(choice.to_dict()) == choice
    with pytest.raises(ValueError, match="must be text"):
        Choice.from_dict({"depth": 3})
