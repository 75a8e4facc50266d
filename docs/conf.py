"""How Sphinx builds the site: ``make docs``. It needs no network."""

import ast
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fetal_seg.version import __version__  # noqa: E402  # reason: the path comes first

project, author, release = "fetal_seg", "the fetal_seg developers", __version__
copyright = author  # noqa: A001  # reason: Sphinx names it so
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design"]
exclude_patterns = ["README.md"]  # the list of pages for who reads them in the repository; index.md is the site's

myst_heading_anchors = 4  # links to headings, as GitHub names them
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "cache"  # notebooks are committed without outputs, and run anew where they have changed
nb_execution_timeout = 900  # seconds a cell, for a busy machine
nb_execution_raise_on_error = True
nb_merge_streams = True

default_role = "literal"  # `name` in docstrings
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = "fetal_seg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "fetal_seg"},
    "navbar_align": "left",
    "show_nav_level": 2,
    "footer_start": ["research_use"],
    "footer_end": [],
    "pygments_light_style": "default",
}
templates_path = ["_templates"]


class ConfigurationReference(SphinxDirective):
    """Puts what ``python -m tools.key_reference`` prints in its place."""

    has_content: ClassVar[bool] = True  # a sentence for who reads the page in the repository

    def run(self) -> list[nodes.Node]:
        """The tables, with their headings."""
        from tools.key_reference import reference

        for folder in ("conf", "fetal_seg/config"):
            for file in (ROOT / folder).rglob("*.*"):
                self.env.note_dependency(str(file))
        return self.parse_text_to_nodes(reference(), allow_section_headings=True)


def signature_as_written(_app: Sphinx, what: str, _name: str, item: Any, *_rest: Any) -> tuple[str, str] | None:
    """A function's arguments and result with the annotations of its source: ``ArrayLike``, not what it stands for."""
    if what not in ("function", "method"):
        return None
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(item))).body
    assert isinstance(function, ast.FunctionDef)
    if function.args.args and function.args.args[0].arg in ("self", "cls"):
        del function.args.args[0]
    result = ast.unparse(function.returns).strip("'") if function.returns else ""
    return f"({ast.unparse(function.args)})", result


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what this file adds to Sphinx."""
    app.connect("autodoc-process-signature", signature_as_written)
    app.add_directive("configuration-reference", ConfigurationReference)
    return {"parallel_read_safe": True}
