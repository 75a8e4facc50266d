"""The site: every page can be found, its commands are right, its figures are their sources', and it builds."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT, run_command

DOCS = ROOT / "docs"
PAGES = sorted(page for suffix in ("md", "ipynb") for page in DOCS.rglob(f"*.{suffix}"))
OF_THE_REPOSITORY = DOCS / "README.md"  # the list of pages for who reads them there
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.DOTALL | re.MULTILINE)
NEEDED = ("myst_nb", "pandas", "pydata_sphinx_theme", "sphinx", "sphinx_design")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_sphinx = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed: pip install fetal_seg[docs]"
)


def _text(page):
    return page.read_text(encoding="utf-8")


def _listed(page):
    """The pages of a page's toctrees."""
    for block in TOCTREE.findall(_text(page)):
        for entry in block.splitlines():
            if entry and not entry.startswith(":"):
                path = (page.parent / entry).resolve()
                (found,) = [
                    file for suffix in (".md", ".ipynb") if (file := path.with_name(path.name + suffix)).is_file()
                ]
                yield found


def test_each_page_is_reached_from_the_front_page():
    reached, ahead = {OF_THE_REPOSITORY}, [DOCS / "index.md"]
    while ahead:
        page = ahead.pop()
        assert page not in reached, f"{page} stands in two toctrees"
        reached.add(page)
        ahead += _listed(page) if page.suffix == ".md" else []
    assert reached == set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_each_page_says_first_what_it_is_for(page):
    if page.suffix == ".ipynb":
        first = "".join(json.loads(_text(page))["cells"][0]["source"])
        assert re.match(r"# .*\n\nThis lesson ", first)
    elif page.name != "changelog.md":
        assert re.match(r"# .*\n\nThis page ", _text(page))


def test_notebooks_are_kept_without_what_they_printed():
    for page in DOCS.rglob("*.ipynb"):
        cells = [cell for cell in json.loads(_text(page))["cells"] if cell["cell_type"] == "code"]
        assert cells
        assert not any(cell["outputs"] or cell["execution_count"] for cell in cells), page


def test_the_front_page_has_the_difference_of_two_experts_from_its_source():
    """Its other figures are recomputed in tests/tools/test_figures.py."""
    row, source_row = "for comparison: two experts on the same images differ by", "two experts on the same "
    (shown,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", _text(DOCS / "index.md"), re.MULTILINE)
    (known,) = re.findall(rf"^\| {re.escape(source_row)}.*", _text(DOCS / "accuracy.md"), re.MULTILINE)
    assert re.sub(r" (mm|%)", "", shown) in [cell.strip() for cell in known.split("|")]


@pytest.fixture
def results(tmp_path):
    """The folder of a prediction of two images, one of which shows nothing."""
    from fetal_seg.images.grey import write_image

    (tmp_path / "scans").mkdir()
    shutil.copy(DOCS / "scan.png", tmp_path / "scans" / "head.png")
    write_image(tmp_path / "scans" / "nothing.png", np.zeros((540, 800), np.uint8))
    done = run_command("predict.py", "input=scans", "pixel_size_mm=0.12", "output=results", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def _code(language):
    return "\n".join(
        re.findall(rf"^```{language}\n(.*?)^```", _text(DOCS / "how_to" / "results.md"), re.DOTALL | re.MULTILINE)
    )


@pytest.mark.parametrize(
    ("command", "language"),
    [
        pytest.param(
            [sys.executable, "-c"],
            "python",
            marks=pytest.mark.skipif(
                "pandas" in MISSING, reason="pandas is not installed: pip install fetal_seg[docs]"
            ),
        ),
        pytest.param(
            ["Rscript", "-e"],
            "r",
            marks=pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed"),
        ),
    ],
    ids=["pandas", "R"],
)
def test_results_are_read_elsewhere(results, command, language):
    done = subprocess.run([*command, _code(language)], cwd=results, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "head.png" in done.stdout
    assert "nothing.png" not in done.stdout
    assert "no head" in done.stdout


@needs_sphinx
def test_the_site_builds_without_a_warning_and_needs_no_network(tmp_path):
    """As ``make docs`` builds it, but for the notebooks, which another test runs."""
    options = ["--quiet", "--fail-on-warning", "--keep-going", "-D", "nb_execution_mode=off"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "-d", str(tmp_path / "doctrees"), str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in PAGES if page != OF_THE_REPOSITORY}
    assert pages <= {page.relative_to(site) for page in site.rglob("*.html")}
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(script|link|img)[^>]*(src|href)=\"https?:", text), f"{page.name} loads from elsewhere"
        assert str(ROOT) not in text, f"{page.name} names a folder of this machine"
    assert "<code" in (site / "reference" / "configuration.html").read_text(encoding="utf-8")
