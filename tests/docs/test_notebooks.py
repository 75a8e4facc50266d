"""The tutorials run as they stand, on simulated images."""

import importlib.util

import pytest

from tests.conftest import ROOT

TUTORIALS = ROOT / "docs" / "tutorials"
MISSING = [name for name in ("ipykernel", "nbclient", "pandas") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed: pip install fetal_seg[docs]"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A cache that the notebooks share: they simulate the same images."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("name", sorted(path.stem for path in TUTORIALS.glob("*.ipynb")))
def test_a_tutorial_runs(name, home, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # more lose much on a busy machine
    notebook = nbformat.read(TUTORIALS / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(TUTORIALS)}})
    client.execute()  # raises with the cell that failed
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert shown
    assert not any(output.output_type == "error" for output in shown)
